#!/usr/bin/env python3
"""A trained network keeps the names of its classes, and evaluate and ptq refuse data that has others."""

import glob
import json
import os
import subprocess
import tempfile
import unittest
import zipfile

NETWORK = ["--architecture=PC_DARTS_cifar", "--channels=4", "--layers=3", "--noauxiliary", "--image_size=16"]


def run(tool, *flags):
  return subprocess.run([os.path.abspath(os.path.join("tools", tool)), *flags], capture_output=True, text=True,
                        check=False)


class ClassesTest(unittest.TestCase):

  @classmethod
  def setUpClass(cls):
    cls.folder = tempfile.mkdtemp(dir=os.environ.get("TEST_TMPDIR"))
    cls.data = cls.pack("data", {})
    cls.renamed = cls.pack("renamed", {"3": "three"})
    # What no count and no label tells: the same names, two of them exchanged.
    cls.exchanged = cls.pack("exchanged", {"6": "9", "9": "6"})
    cls.run_folder = os.path.join(cls.folder, "run")
    done = run("train", *NETWORK, "--abits=8", "--epochs=1", "--batch=90", "--calibrate=1",
               f"--train_data={cls.data}", f"--run={cls.run_folder}")
    assert done.returncode == 0, done.stderr
    cls.weights = os.path.join(cls.run_folder, "weights.pt")

  @classmethod
  def pack(cls, name, new_names):
    output = os.path.join(cls.folder, name)
    done = run("pack", "--input=tools/sample_data/digits/test.tar", f"--output={output}")
    assert done.returncode == 0, done.stderr
    manifest = os.path.join(output, "dataset.json")
    with open(manifest) as file:
      content = json.load(file)
    content["class_names"] = [new_names.get(label, label) for label in content["class_names"]]
    with open(manifest, "w") as file:
      json.dump(content, file)
    return output

  def measure(self, tool, weights, data, *flags):
    return run(tool, f"--architecture={self.run_folder}/architecture.json", f"--weights={weights}",
               f"--test_data={data}", "--batch=360", *flags)

  def refuses(self, weights, data, index, now, trained):
    text = f'--test_data={data}: class {index} is "{now}", in {weights} it is "{trained}"'
    for tool in ("evaluate", "ptq"):
      done = self.measure(tool, weights, data, "--ranges=batch")
      self.assertEqual((done.returncode, done.stdout), (1, ""), done)
      self.assertEqual(done.stderr.count("\n"), 1, done.stderr)
      self.assertIn(text, done.stderr)

  def test_the_same_classes(self):
    for tool in ("evaluate", "ptq"):
      done = self.measure(tool, self.weights, self.data)
      self.assertEqual(done.returncode, 0, done.stderr)
      self.assertNotIn("which classes", done.stderr)

  def test_other_names(self):
    self.refuses(self.weights, self.renamed, 3, "three", "3")
    self.refuses(self.weights, self.exchanged, 6, "9", "6")

  def test_a_checkpoint_has_them_too(self):
    checkpoint, = glob.glob(os.path.join(self.run_folder, "checkpoints", "step_*"))
    self.refuses(checkpoint, self.exchanged, 6, "9", "6")

  def test_weights_with_other_ranges_keep_them(self):
    calibrated = os.path.join(self.folder, "calibrated.pt")
    done = self.measure("evaluate", self.weights, self.data, "--calibrate=1", f"--calibration_data={self.data}",
                        f"--calibrated_weights={calibrated}")
    self.assertEqual(done.returncode, 0, done.stderr)
    self.refuses(calibrated, self.renamed, 3, "three", "3")

  def test_a_training_and_its_evaluation(self):
    done = run("train", *NETWORK, f"--train_data={self.data}", f"--test_data={self.renamed}", "--run=none")
    self.assertIn(f'--test_data={self.renamed}: class 3 is "three", in --train_data={self.data} it is "3"',
                  done.stderr)

  def test_weights_without_names_are_judged_and_the_log_says_so(self):
    old = os.path.join(self.folder, "old.pt")
    with zipfile.ZipFile(self.weights) as source, zipfile.ZipFile(old, "w") as copy:
      names = [name for name in source.namelist() if "/notes/" in name]
      self.assertEqual(len(names), 1)
      for name in source.namelist():
        if name not in names:
          copy.writestr(name, source.read(name))
    for tool in ("evaluate", "ptq"):
      done = self.measure(tool, old, self.renamed)
      self.assertEqual(done.returncode, 0, done.stderr)
      self.assertRegex(done.stderr, f"{old}: does not say which classes it was trained on: those of "
                                    f"--test_data={self.renamed} are taken for them\n")


if __name__ == "__main__":
  unittest.main()
