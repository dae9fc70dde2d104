#!/usr/bin/env python3
"""Training recipes: what they do to a run, on any number of ranks and after a stop, and what they refuse."""

import json
import os
import shutil
import subprocess
import tempfile
import unittest

TRAIN, PACK = "tools/train", "tools/pack"
DIGITS, PHOTOS = "tools/sample_data/digits/", "tools/sample_data/photos/train.tar"
MIXED = ["--mixup=0.4", "--cutmix=1", "--label_smoothing=0.1", "--color_jitter=0.4,0.4,0.4,0.2", "--augment=trivial"]


class RecipesTest(unittest.TestCase):

  def setUp(self):
    self.folder = tempfile.mkdtemp(dir=os.environ["TEST_TMPDIR"])
    self.addCleanup(shutil.rmtree, self.folder)
    self.run_folder = os.path.join(self.folder, "run")

  def command(self, *flags, data=DIGITS + "test.tar", network=("--architecture=PC_DARTS_cifar", "--channels=4", "--layers=2")):
    return [TRAIN, "--preset=quickstart", f"--train_data={data}", "--epochs=2", "--batch=32", "--quiet",
            "--train_fraction=0.6", f"--run={self.run_folder}", *network, *flags]

  def losses(self, *command):
    """Of the training, report by report."""
    shutil.rmtree(self.run_folder, ignore_errors=True)
    subprocess.run(command, check=True)
    return self.read_losses()

  def read_losses(self):
    with open(os.path.join(self.run_folder, "metrics.jsonl")) as file:
      lines = [json.loads(line) for line in file]
    return [line["loss"] for line in lines if line["kind"] == "train"]

  def refused(self, text, *command):
    shutil.rmtree(self.run_folder, ignore_errors=True)
    done = subprocess.run(command, capture_output=True, check=False)
    self.assertNotEqual(done.returncode, 0)
    self.assertIn(text, done.stderr.decode())
    self.assertEqual(len(done.stderr.decode().splitlines()), 1, done.stderr)
    self.assertFalse(os.path.exists(os.path.join(self.run_folder, "metrics.jsonl")))

  def test_mixed_images_are_the_same_on_two_ranks(self):
    command = self.command(*MIXED, "--report_steps=1")
    one = self.losses(*command)
    two = self.losses("tools/build_defs/mpi_run.sh", "2", *command)
    self.assertEqual(len(one), len(two))
    self.assertAlmostEqual(one[0], two[0], delta=1e-5)
    self.assertAlmostEqual(one[3], two[3], delta=1e-2)
    self.assertGreater(min(one), 1)  # Labels of two images, smoothed, are not learned in so few steps.

  def test_every_recipe_changes_the_run(self):
    first = {flags: self.losses(*self.command(*flags.split(), "--epochs=1", "--report_steps=1"))[0]
             for flags in ("", "--mixup=1", "--cutmix=1", "--augment=trivial", "--augment=rand",
                           "--augment=rand --rand_magnitude=20", "--color_jitter=0.4,0,0,0",
                           "--sampling=class_balanced")}
    self.assertEqual(len(set(first.values())), len(first), first)

  def test_a_stopped_run_goes_on_with_the_same_recipe_only(self):
    command = self.command(*MIXED, "--report_steps=1")
    whole = self.losses(*command)
    checkpoints = os.path.join(self.run_folder, "checkpoints")
    last = max(os.listdir(checkpoints))
    refusal = subprocess.run(self.command(*MIXED[1:], "--resume=auto"), capture_output=True, check=False)
    self.assertIn("mixup", refusal.stderr.decode())
    self.assertNotEqual(refusal.returncode, 0)
    shutil.rmtree(os.path.join(checkpoints, last))
    subprocess.run([*command, "--resume=auto"], check=True)
    self.assertEqual(self.read_losses(), whole)

  def test_several_data_sets_by_shares(self):
    both = DIGITS + "test.tar," + DIGITS + "train.tar"
    flags = ["--epochs=1", "--report_steps=1", "--train_fraction=1"]
    self.assertEqual(len(self.losses(*self.command(*flags, data=both))), 1797 // 32)
    shares = [self.losses(*self.command(*flags, f"--train_shares={shares}", data=both))[0]
              for shares in ("0.9,0.1", "0.1,0.9")]
    self.assertNotEqual(*shares)
    self.refused("1 numbers where 2 belong", *self.command("--train_shares=1", data=both))
    self.refused("--train_shares=1,0: each must be above 0", *self.command("--train_shares=1,0", data=both))
    self.refused("class \"astronaut\" is none of", *self.command(data=DIGITS + "test.tar," + PHOTOS))
    self.refused("a path is empty", *self.command(data=DIGITS + "test.tar,"))

  def test_images_grow(self):
    flags = ["--preset=edmips_resnet18", "--network=resnet18", "--image_size=64", "--batch=14", "--epochs=3",
             f"--train_data={PHOTOS}", f"--run={self.run_folder}", "--quiet", "--report_steps=1"]
    grown = self.losses(TRAIN, *flags, "--progressive_sizes=32,48")
    self.assertEqual(len(grown), len(self.losses(TRAIN, *flags)))
    self.refused("4 sizes with --image_size, for 3 epochs", TRAIN, *flags, "--progressive_sizes=32,40,48")
    self.refused("--progressive_sizes=0: image_side", TRAIN, *flags, "--progressive_sizes=0")

  def test_what_makes_no_sense(self):
    self.refused("--images=cifar are cropped, and never resized", *self.command("--progressive_sizes=16"))
    self.refused("--color_jitter=0.4,0.4: 2 numbers where 4 belong", *self.command("--color_jitter=0.4,0.4"))
    self.refused("--color_jitter: augmentation: hue: not 0 to 0.5", *self.command("--color_jitter=0,0,0,1"))
    self.refused("mixing: batches of 33 are not whole pairs", *self.command("--mixup=1", "--batch=33"))
    self.refused("--sampling=class_balanced: contradicts --order=quasi_random",
                 *self.command("--sampling=class_balanced", "--order=quasi_random"))


if __name__ == "__main__":
  unittest.main()
