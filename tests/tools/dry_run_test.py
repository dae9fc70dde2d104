#!/usr/bin/env python3
"""Every preset of every tool passes --dry_run, which starts nothing and leaves nothing; and what it refuses, a run refuses."""

import os
import re
import shutil
import subprocess
import tempfile
import unittest

EDMIPS = ("edmips_googlenet", "edmips_inception_v3", "edmips_resnet18", "edmips_resnet50")


def path(tool):
  return os.path.abspath(os.path.join("tools", tool))


def presets_of(tool):
  done = subprocess.run([path(tool), "--help"], capture_output=True, check=True)
  return re.findall(r"^--preset=(\w+) stands for$", done.stdout.decode(), re.MULTILINE)


class DryRunTest(unittest.TestCase):

  @classmethod
  def setUpClass(cls):
    cls.root = tempfile.mkdtemp(dir=os.environ.get("TEST_TMPDIR"))
    cls.folder = os.path.join(cls.root, "here")
    os.mkdir(cls.folder)
    digits = os.path.abspath("tools/sample_data/digits/train.tar")
    cls.data = os.path.join(cls.root, "data")
    subprocess.run([path("pack"), f"--input={digits}", f"--output={cls.data}"], check=True)

  def run_tool(self, tool, *flags):
    return subprocess.run([path(tool), *flags], cwd=self.folder, capture_output=True, text=True,
                          check=False)

  def passes(self, tool, *flags):
    done = self.run_tool(tool, *flags, "--dry_run")
    self.assertEqual(done.returncode, 0, (tool, flags, done.stderr))
    self.assertIn("would ", done.stdout)
    self.assertEqual(os.listdir(self.folder), [], (tool, flags))
    return done.stdout

  def refuses(self, text, tool, *flags):
    """With --dry_run and without it, in one line and leaving nothing."""
    for dry in ([], ["--dry_run"]):
      done = self.run_tool(tool, *flags, *dry)
      self.assertNotEqual(done.returncode, 0, (tool, flags, dry))
      self.assertEqual(done.stderr.count("\n"), 1, (tool, flags, dry, done.stderr))
      self.assertIn(text, done.stderr)
      self.assertEqual(os.listdir(self.folder), [], (tool, flags, dry))

  def data_flags(self, preset):
    # ImageNet's batch is larger than the digits are many.
    large = preset == "imagenet" or preset in EDMIPS
    return [f"--train_data={self.data}"] + (["--batch=16"] if large else [])

  def network_flags(self, preset):
    return [] if preset in EDMIPS else ["--architecture=PC_DARTS_image"]

  def test_every_preset_of_every_tool(self):
    self.assertEqual(presets_of("search"), ["cifar", "fashion", "imagenet", "pcdarts", "quickstart"])
    for preset in presets_of("search"):
      text = self.passes("search", f"--preset={preset}", "--run=run", *self.data_flags(preset))
      self.assertIn("\n  derive_layers ", text)
    for tool in ("train", "precision_search"):
      self.assertEqual(presets_of(tool), ["cifar", *EDMIPS, "fashion", "fixed_bits", "imagenet", "quickstart"])
      for preset in presets_of(tool):
        self.passes(tool, f"--preset={preset}", "--run=run", *self.network_flags(preset),
                    *self.data_flags(preset))
    for tool in ("evaluate", "ptq"):
      self.assertEqual(presets_of(tool), ["cifar", *EDMIPS, "fashion", "fixed_bits", "imagenet", "quickstart"])
      for preset in presets_of(tool):
        self.passes(tool, f"--preset={preset}", *self.network_flags(preset), f"--test_data={self.data}")

  def test_what_it_would_take(self):
    cost = (r"\nnetwork      (\d+) parameters, ([0-9.]+) M multiply-adds an image\n"
            r"ranks        1 on .*\nsteps        (\d+) epochs of (\d+), in all (\d+)\n"
            r"memory       ([0-9.]+) GB of tensors for each rank\n"
            r"time         about (?:\d+ d )?\d+:\d\d:\d\d, ([0-9.]+) s a step: ")
    train = self.passes("train", "--preset=cifar", "--architecture=PC_DARTS_cifar", "--noauxiliary", "--run=run",
                        f"--train_data={self.data}")
    search = self.passes("search", "--preset=quickstart", "--run=run", f"--train_data={self.data}")
    for text in (train, search):
      self.assertRegex(text, cost)
      parameters, macs, epochs, steps, in_all, gigabytes, seconds = map(float, re.search(cost, text).groups())
      self.assertEqual(epochs * steps, in_all)
      self.assertGreater(min(macs, gigabytes, seconds), 0)
      if text is train:
        self.assertEqual(parameters, 3634678)  # As published.

  def test_tools_without_presets(self):
    self.passes("pack", f"--input={self.data}", "--output=packed")
    self.passes("inspect", f"--input={self.data}")
    self.passes("published_costs")
    for tool in ("pack", "inspect", "predict", "published_costs"):
      self.refuses("--preset=cifar: this tool has no presets", tool, "--preset=cifar")

  def test_the_comparison(self):
    done = subprocess.run(
        [path("compare"), f"--tools={path('')}", "--preset=quickstart", f"--train_data={self.data}",
         f"--test_data={self.data}", "--output=runs", "--budget_bits=2.5", "--dry_run"],
        cwd=self.folder, capture_output=True, text=True, check=False)
    self.assertEqual(done.returncode, 0, done.stderr)
    self.assertIn("would run 65 steps", done.stdout)
    for tool in ("search", "train", "evaluate", "ptq", "precision_search"):
      self.assertIn(f"/{tool} ", done.stdout)
    self.assertEqual(os.listdir(self.folder), [])

  def test_what_is_known_before_the_first_step(self):
    search = ["search", "--preset=quickstart", "--run=run", f"--train_data={self.data}"]
    self.refuses("--derive_layers: ", *search, "--layers=3", "--derive_layers=20")
    self.refuses("--alpha_begin=6: leaves none of the 6 epochs", *search, "--alpha_begin=6")
    self.refuses("--target_bitops=1000: out of reach", *search, "--target_bitops=1000")
    self.refuses("--target_bitops=1e+15: out of reach", *search, "--target_bitops=1e15")
    self.refuses("--target_compression: contradicts --bits=4", *search, "--bits=4",
                 "--target_compression=64")
    self.refuses("--gamma_lr: contradicts --bits=4", *search, "--bits=4", "--gamma_lr=1")
    self.refuses("may use 0.01 GB", *search, "--memory_gb=0.01")
    self.refuses("--warmup_epochs=7: there are only 6 epochs", *search, "--warmup_epochs=7")
    self.refuses("nowhere", *search, "--resume=nowhere")

    train = ["train", "--preset=quickstart", "--run=run", f"--train_data={self.data}",
             "--architecture=PC_DARTS_cifar"]
    self.refuses("may use 0.01 GB", *train, "--memory_gb=0.01")
    self.refuses("none.pt", *train, "--initial_weights=none.pt")

    bits = ["precision_search", *train[1:]]
    self.refuses("--bits=4: leaves no bits to search", *bits, "--bits=4")
    self.refuses("--target_compression=300: out of reach: what may be derived has 64 to 256", *bits,
                 "--target_compression=300")
    self.refuses("--abits: contradicts the search for bits", *bits, "--abits=4")
    self.refuses("--gammas: contradicts the search for bits", *bits, "--gammas=x.t7")
    self.refuses("--method=sensitivity: needs a budget", *bits, "--method=sensitivity")
    self.refuses("--method=sensitivity: needs trained weights, --initial_weights", *bits, "--method=sensitivity",
                 "--target_compression=100")
    self.refuses("--couple_activations: says nothing to --method=random", *bits, "--method=random",
                 "--couple_activations")
    self.refuses("--train_fraction=0: must be a number above 0 to 1", *train, "--train_fraction=0")

    ptq = ["ptq", f"--test_data={self.data}", "--architecture=PC_DARTS_cifar", "--weights=none.pt"]
    self.refuses("none.pt", *ptq)
    self.refuses("--sweep: '8' is not a pair", *ptq, "--sweep=8")
    self.refuses("--output=none/out.json: none is no folder", *ptq, "--output=none/out.json")

  def test_a_run_that_is_there(self):
    run = os.path.join(self.root, "run")
    flags = [f"--run={run}", "--preset=quickstart", f"--train_data={self.data}", "--layers=3",
             "--channels=4", "--epochs=1", "--image_size=16", "--architecture=PC_DARTS_cifar"]
    self.assertEqual(self.run_tool("train", *flags).returncode, 0)
    before = sorted(os.walk(run))
    self.refuses("holds a run already", "train", *flags)
    self.assertIn("the checkpoint after step ", self.passes("train", *flags, "--resume=auto"))
    self.refuses("/epochs is 1 in the checkpoint, 2 now", "train", *flags, "--resume=auto",
                 "--epochs=2")
    self.refuses("cannot resume: reproducible is false in the checkpoint, true now", "train", *flags,
                 "--resume=auto", "--reproducible")
    self.assertEqual(sorted(os.walk(run)), before)
    shutil.rmtree(run)


if __name__ == "__main__":
  unittest.main()
