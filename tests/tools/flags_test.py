#!/usr/bin/env python3
"""Every flag of every tool: documented, and if it takes numbers, held to a range. And the edges of a command line."""

import itertools
import os
import re
import subprocess
import tempfile
import unittest

TOOLS = ("convert", "evaluate", "export", "inspect", "pack", "precision_search", "predict", "ptq", "published_costs",
         "search", "train")
FLAG = re.compile(r"^--(\w+)=(.*?)  \((.*)\)$", re.MULTILINE)
NUMBERS = re.compile(r"a (whole )?number (?:from |above )?(-?[0-9.e+]+)(?: or more| to (?:below )?([0-9.e+]+))?$")


def path(tool):
  return os.path.abspath(os.path.join("tools", tool))


def run(tool, *flags, **options):
  return subprocess.run([path(tool), *flags], capture_output=True, check=False, **options)


class FlagsTest(unittest.TestCase):

  def setUp(self):
    self.folder = tempfile.mkdtemp(dir=os.environ.get("TEST_TMPDIR"))

  def refused(self, text, status, tool, *flags, **options):
    """The tool says `text` in one line and ends with `status`."""
    done = run(tool, *flags, **options)
    self.assertEqual(done.returncode, status, (tool, flags, done))
    self.assertEqual(done.stderr.count(b"\n"), 1, (tool, flags, done.stderr))
    self.assertIn(text.encode(), done.stderr)

  def test_every_numeric_flag_refuses_what_is_out_of_its_range(self):
    not_finite = itertools.cycle(("nan", "inf", "-inf"))
    count = 0
    for tool in TOOLS:
      for flag, default, values in FLAG.findall(run(tool, "--help").stdout.decode()):
        numeric = re.fullmatch(r"-?[0-9.]+(e[-+]?[0-9]+)?", default)
        if values in ("text", "true or false"):
          # A number that no range is declared for would end --help with an error.
          continue
        if values.startswith("one of "):
          self.refused(f"--{flag}=no_word: must be {values}", 2, tool, f"--{flag}=no_word")
          continue
        self.assertTrue(numeric, (tool, flag, default))
        whole, low, high = NUMBERS.fullmatch(values).groups()
        if not whole:
          bad = next(not_finite)
        elif high:
          bad = str(int(high) + 1)
        elif int(low) == 0:
          continue  # A seed: all that fits.
        else:
          bad = str(int(low) - 1)
        self.refused(f"--{flag}={bad}: must be ", 2, tool, f"--{flag}={bad}")
        count += 1
    self.assertGreater(count, 100)

  def test_every_flag_is_in_the_documentation(self):
    with open("docs/flags.md") as file:
      documented = set(re.findall(r"`--(\w+)`", file.read()))
    for tool in TOOLS:
      done = run(tool, "--help")
      self.assertEqual((done.returncode, done.stderr), (0, b""), tool)
      for flag, _, _ in FLAG.findall(done.stdout.decode()):
        self.assertIn(flag, documented, tool)

  def test_a_name_nearly_right_is_answered_with_the_right_one(self):
    for tool, wrong, meant in (("search", "weigth_lr", "weight_lr"), ("pack", "inputs", "input"),
                               ("train", "preset_", "preset"), ("evaluate", "nodryrun", "nodry_run")):
      self.refused(f"--{wrong}: there is no such flag; did you mean --{meant}? ", 2, tool, f"--{wrong}=1")

  def test_help_has_groups_the_tools_own_first_and_all_of_it_on_request(self):
    for tool in TOOLS:
      short, full = (run(tool, flag).stdout.decode() for flag in ("--help", "--help=all"))
      self.assertNotIn("--minloglevel=", short)
      self.assertIn("--minloglevel=", full)
      self.assertIn("\nOf every tool\n", short)
      self.assertNotRegex(short, r"[0-9]\.[0-9]*(0000000|9999999)", tool)  # As a person writes it.
    search = run("search", "--help").stdout.decode()
    self.assertLess(search.index("--alpha_lr=0.0006  "), search.index("--weight_lr="))
    self.assertIn("search --preset=cifar --train_data=", search)

  def test_version_says_which_build_it_is(self):
    for tool in TOOLS:
      done = run(tool, "--version")
      self.assertEqual((done.returncode, done.stderr), (0, b""), tool)
      self.assertRegex(done.stdout.decode(), rf"^{tool} of nqdarts, build [0-9a-f]{{40}}\n")
    self.assertRegex(run("search", "--version").stdout.decode(), r"\nLibTorch [0-9.]+.*; .*ATen ")

  def test_a_preset_is_printed_as_it_can_be_given(self):
    done = run("search", "--print_preset=quickstart")
    self.assertEqual((done.returncode, done.stderr), (0, b""))
    self.assertIn("--epochs=6", done.stdout.decode().split())
    again = run("search", *done.stdout.decode().split(), "--print_preset=cifar")
    self.assertEqual(again.returncode, 0, again)
    self.refused("--print_preset=cifr: must be one of cifar, ", 2, "search", "--print_preset=cifr")
    self.refused("--print_preset=x: this tool has no presets", 2, "pack", "--print_preset=x")

  def test_old_names_name_the_new_ones(self):
    for tool, old, new in (("train", "arch", "architecture"), ("precision_search", "candidates", "bits"),
                           ("precision_search", "alpha_lr", "gamma_lr"), ("evaluate", "json", "output"),
                           ("ptq", "json", "output"), ("search", "loader_threads", "threads"),
                           ("pack", "workers", "threads"), ("search", "lr", "weight_lr"),
                           ("train", "lr_min", "weight_lr_min")):
      self.refused(f"--{old}: is --{new} now", 2, tool, f"--{old}=1")

  def test_what_only_training_does_is_a_flag_of_trainings_only(self):
    for tool in ("evaluate", "ptq"):
      for flag in ("flip", "padding", "cutout", "order"):
        self.refused(f"--{flag}: there is no such flag", 2, tool, f"--{flag}=1")

  def test_standard_output_that_does_not_take_it(self):
    for tool in TOOLS:
      with open("/dev/full", "w") as full:
        done = subprocess.run([path(tool), "--help"], stdout=full, stderr=subprocess.PIPE, check=False)
      self.assertEqual(done.returncode, 1, tool)
      self.assertIn(b"standard output: ", done.stderr)
    # A closed one neither, and no file takes its place.
    output = os.path.join(self.folder, "shards")
    command = [path("pack"), "--input=tools/sample_data/digits/test.tar", f"--output={output}"]
    done = subprocess.run(["sh", "-c", '"$@" >&-', "sh", *command], capture_output=True, check=False)
    self.assertEqual(done.returncode, 1, done)
    self.assertIn(b"standard output: ", done.stderr)
    self.assertEqual(run("inspect", f"--input={output}", "--verify").returncode, 0)

  def test_home_folder(self):
    environment = dict(os.environ, HOME=self.folder)
    digits = os.path.abspath("tools/sample_data/digits/test.tar")
    done = run("pack", f"--input={digits}", "--output=~/packed", cwd=self.folder, env=environment)
    self.assertEqual(done.returncode, 0, done)
    self.assertEqual(os.listdir(self.folder), ["packed"])
    self.refused("--output=~you/x: ~ stands for the own home folder only", 2, "pack", f"--input={digits}",
                 "--output=~you/x", cwd=self.folder, env=environment)

  def test_names_that_are_not_utf8(self):
    digits = os.fsencode(os.path.abspath("tools/sample_data/digits/test.tar"))
    folder = os.fsencode(self.folder) + b"/caf\xe9"
    os.makedirs(folder + b"/images/th\xe9")
    os.makedirs(folder + b"/images/eau")
    for number in range(8):
      for name in (b"th\xe9", b"eau"):
        done = run("inspect", b"--input=" + digits, b"--extract=%d" % number,
                   b"--output=" + folder + b"/images/" + name + b"/\xe9%d.jpg" % number)
        self.assertEqual(done.returncode, 0, done)
    flags = [b"--train_data=" + folder + b"/images", b"--run=" + folder + b"/run", b"--epochs=1", b"--batch=8",
             b"--architecture=PC_DARTS_cifar", b"--channels=4", b"--layers=3", b"--noauxiliary",
             b"--image_size=16"]
    done = run("train", *flags)
    self.assertEqual(done.returncode, 0, done)
    self.assertTrue(os.path.exists(folder + b"/run/weights.pt"))
    done = run("pack", b"--input=" + folder + b"/images", b"--output=" + folder + b"/shards")
    self.assertEqual(done.returncode, 0, done)

  def test_local_mpirun_without_a_program(self):
    for arguments in ((), ("2",), ("two", "true"), ("0", "true")):
      done = subprocess.run(["tools/build_defs/mpi_run.sh", *arguments], capture_output=True, check=False)
      self.assertEqual(done.returncode, 2, arguments)
      self.assertRegex(done.stderr.decode(), r"^usage: mpi_run.sh RANKS PROGRAM")


if __name__ == "__main__":
  unittest.main()
