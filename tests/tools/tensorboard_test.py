#!/usr/bin/env python3
"""The events of a search, read by TensorBoard's own reader: whole, and of a run that was killed and goes on."""

import glob
import json
import os
import subprocess
import sys
import time
import unittest

sys.path.insert(0, os.path.abspath("tests/tools"))

import python_libraries  # noqa: E402

WORK = os.environ["TEST_TMPDIR"]
EPOCHS = 3
SEARCH = [os.path.abspath("tools/search"), "--preset=quickstart", "--reproducible", "--image_size=16", "--layers=3",
          "--derive_layers=3", "--batch=16", "--train_fraction=0.1", "--search_fraction=0.1", f"--epochs={EPOCHS}",
          "--report_steps=2", "--train_data=" + os.path.abspath("tools/sample_data/digits/train.tar"),
          "--test_data=" + os.path.abspath("tools/sample_data/digits/test.tar")]

# tag -> [(step, value)], tag -> [(step, numbers, smallest, largest)], tag -> [(step, width, height, first bytes)]
READ = """
import json, sys
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
events = EventAccumulator(sys.argv[1], size_guidance={"scalars": 0, "histograms": 0, "images": 0})
events.Reload()
tags = events.Tags()
json.dump({
    "scalars": {tag: [(e.step, e.value) for e in events.Scalars(tag)] for tag in tags["scalars"]},
    "histograms": {tag: [(e.step, e.histogram_value.num, e.histogram_value.min, e.histogram_value.max,
                          sum(e.histogram_value.bucket)) for e in events.Histograms(tag)] for tag in tags["histograms"]},
    "images": {tag: [(e.step, e.width, e.height, e.encoded_image_string[:8].hex()) for e in events.Images(tag)]
               for tag in tags["images"]}}, sys.stdout)
"""


def read(run):
  return json.loads(python_libraries.run_tensorboard(READ, os.path.join(WORK, run)))


def metrics(run):
  with open(os.path.join(WORK, run, "metrics.jsonl"), encoding="utf-8") as file:
    return [json.loads(line) for line in file]


def event_files(run):
  return sorted(glob.glob(os.path.join(WORK, run, "events.out.tfevents.*")))


def scalars_of(line, prefix=""):
  """(name, number) of every number outside of lists; names of nested objects are joined by /."""
  for name, value in line.items():
    if isinstance(value, dict):
      yield from scalars_of(value, f"{prefix}{name}/")
    elif isinstance(value, (int, float)):
      yield prefix + name, value


def numbers(nested):
  return sum(map(numbers, nested), []) if isinstance(nested, list) else [nested]


class TensorBoardTest(unittest.TestCase):

  @classmethod
  def setUpClass(cls):
    subprocess.run([*SEARCH, "--run=whole"], cwd=WORK, check=True, stdout=subprocess.DEVNULL)

  def expect_the_metrics(self, run):
    """Every number of metrics.jsonl once, and none besides."""
    events = read(run)
    scalars = {tag: dict(values) for tag, values in events["scalars"].items()}
    self.assertEqual({tag: len(values) for tag, values in events["scalars"].items()},
                     {tag: len(values) for tag, values in scalars.items()}, "a step is there twice")
    count = 0
    for line in metrics(run):
      kind = {"start": "epoch"}.get(line["kind"], line["kind"])
      for name, value in scalars_of(line):
        if name not in ("epoch", "global_step", "time"):
          self.assertAlmostEqual(scalars[f"{kind}/{name}"][line["global_step"]], value, delta=1e-6 * abs(value))
          count += 1
    self.assertEqual(sum(map(len, scalars.values())), count)
    return events

  def test_scalars_histograms_and_the_cells(self):
    events = self.expect_the_metrics("whole")
    lines = [line for line in metrics("whole") if "logits" in line]
    self.assertEqual(len(lines), EPOCHS + 1)
    for name, count in (("alphas_normal", 14 * 8), ("betas_reduce", 14), ("gamma_activ_celln", 14 * 6 * 2)):
      histograms = events["histograms"][f"epoch/logits/{name}"]
      self.assertEqual(len(histograms), len(lines))
      for (step, number, smallest, largest, in_buckets), line in zip(histograms, lines):
        values = numbers(line["logits"][name])
        self.assertEqual((step, number, in_buckets), (line["global_step"], count, count))
        self.assertAlmostEqual(smallest, min(values))
        self.assertAlmostEqual(largest, max(values))
    for cell in ("cells/normal", "cells/reduction"):
      self.assertEqual(len(events["images"][cell]), EPOCHS)
      for _, width, height, first in events["images"][cell]:
        self.assertGreater(min(width, height), 200)
        self.assertEqual(bytes.fromhex(first), b"\x89PNG\r\n\x1a\n")

  def test_a_run_that_was_killed_and_goes_on_has_every_step_once(self):
    flags = ["--run=killed", "--checkpoint_steps=3"]
    with subprocess.Popen([*SEARCH, *flags], cwd=WORK, stdout=subprocess.DEVNULL) as process:
      # Beyond the checkpoint after step 9: in the second of three epochs.
      deadline = time.monotonic() + 120
      while time.monotonic() < deadline and process.poll() is None:
        if os.path.exists(os.path.join(WORK, "killed/metrics.jsonl")) and any(
            line.get("global_step", 0) >= 10 for line in self.readable_metrics("killed")):
          break
        time.sleep(0.01)
      process.kill()
    self.assertFalse(os.path.exists(os.path.join(WORK, "killed/architecture.json")), "it ended too early")
    # A record cut short, as a kill may leave it.
    with open(event_files("killed")[0], "ab") as file:
      file.write(b"\x40\0\0\0\0\0\0\0\x01\x02")
    subprocess.run([*SEARCH, *flags, "--resume=auto"], cwd=WORK, check=True, stdout=subprocess.DEVNULL)
    self.assertEqual(len(event_files("killed")), 2)
    killed, whole = self.expect_the_metrics("killed"), read("whole")
    self.assertEqual(killed["scalars"]["train/loss"], whole["scalars"]["train/loss"])
    self.assertEqual(killed["histograms"], whole["histograms"])
    self.assertEqual(killed["images"], whole["images"])

  @staticmethod
  def readable_metrics(run):
    with open(os.path.join(WORK, run, "metrics.jsonl"), encoding="utf-8") as file:
      for line in file:
        if line.endswith("\n"):
          yield json.loads(line)

  def test_a_run_without(self):
    subprocess.run([*SEARCH, "--run=none", "--notensorboard", "--epochs=1"], cwd=WORK, check=True,
                   stdout=subprocess.DEVNULL)
    self.assertEqual(event_files("none"), [])


if __name__ == "__main__":
  unittest.main()
