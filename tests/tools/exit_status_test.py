#!/usr/bin/env python3
"""The list of exit statuses in docs/flags.md: each is what some tool ends with, and no other is."""

import os
import re
import signal
import subprocess
import time
import unittest

WORK = os.environ["TEST_TMPDIR"]
TOOLS = ("convert", "evaluate", "export", "inspect", "pack", "precision_search", "predict", "ptq", "published_costs", "search",
         "train")
PYTHON_TOOLS = ("compare", "report")
DIGITS = os.path.abspath("tools/sample_data/digits/train.tar")
SEARCH = ("search", "--preset=quickstart", "--image_size=16", "--layers=3", "--derive_layers=3", "--batch=16",
          "--train_fraction=0.1", "--search_fraction=0.1", f"--train_data={DIGITS}")


def command(tool, *flags):
  return [os.path.abspath(os.path.join("tools", tool)), *flags]


def status(tool, *flags, **options):
  return subprocess.run(command(tool, *flags), cwd=WORK, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False,
                        **options).returncode


def stopped(run):
  """The status of a search that a signal stops."""
  log = os.path.join(WORK, run, "log.txt")
  with subprocess.Popen(command(*SEARCH, f"--run={run}", "--epochs=1000"), cwd=WORK, stdout=subprocess.DEVNULL,
                        stderr=subprocess.DEVNULL) as process:
    deadline = time.monotonic() + 120
    while not (os.path.exists(log) and "images/s" in open(log, encoding="utf-8").read()):
      if time.monotonic() > deadline or process.poll() is not None:
        raise AssertionError("it did not begin")
      time.sleep(0.05)
    process.send_signal(signal.SIGTERM)
    return process.wait(timeout=60)


class ExitStatusTest(unittest.TestCase):

  def test_the_list_is_what_happens(self):
    with open("docs/flags.md", encoding="utf-8") as file:
      section = file.read().partition("## Exit status")[2].partition("\n## ")[0]
    documented = {int(number) for number in re.findall(r"^\| (\d+) \|", section, re.MULTILINE)}
    found = {}
    for tool in TOOLS + PYTHON_TOOLS:
      found[tool, "--help"] = status(tool, "--help")
      self.assertEqual(found[tool, "--help"], 0, tool)
      found[tool, "unknown"] = status(tool, "--no_such_flag=1")
      self.assertEqual(found[tool, "unknown"], 2, tool)
    for tool in TOOLS:
      for question in ("--version", "--help=all", "--completion=bash"):
        self.assertEqual(status(tool, question), 0, (tool, question))
      self.assertEqual(status(tool, "--completion=fish"), 2, tool)
      self.assertEqual(status(tool, "--settings=none"), 2, tool)
    # What the command line cannot tell.
    for tool, *flags in (("convert", "--format=genotype", "--architecture=none.json", "--output=x"),
                         ("evaluate", "--test_data=none"), ("export", "--weights=none", "--output=x"),
                         ("inspect", "--input=none"), ("pack", "--input=none", "--output=x"),
                         ("precision_search", "--run=x", "--train_data=none"), ("predict", "--network=none", "x.jpg"),
                         ("ptq", "--test_data=none"), ("published_costs", "--gammas=none"),
                         ("search", "--run=x", "--train_data=none"), ("train", "--run=x", "--train_data=none"),
                         ("report", "none"),
                         ("compare", "--train_data=none", "--test_data=none", "--output=x", "--tools=none")):
      found[tool, "error"] = status(tool, *flags)
      self.assertEqual(found[tool, "error"], 1, tool)
    with open("/dev/full", "w", encoding="utf-8") as full:
      self.assertEqual(subprocess.run(command("search", "--help"), stdout=full, stderr=subprocess.DEVNULL,
                                      check=False).returncode, 1)
    found["search", "stopped"] = stopped("run")
    self.assertEqual(found["search", "stopped"], 75)
    self.assertEqual(set(found.values()), documented)


if __name__ == "__main__":
  unittest.main()
