#!/usr/bin/env python3
"""State dicts of torchvision's networks, as torch.save writes them, give torchvision's logits in ours, and are trained from."""

import json
import pathlib
import subprocess
import tarfile
import tempfile
import unittest

import torch

# What torchvision's compiled operators would define, and its modules ask for as they are imported.
operators = torch.library.Library("torchvision", "DEF")
operators.define("nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")

from torchvision import models  # pylint: disable=wrong-import-position

PRINT_LOGITS, TOOLS = "nas/python/print_logits", "tools"
DIGITS = "tools/sample_data/digits/test.tar"
HEADS = ("aux1.", "aux2.", "AuxLogits.")


def make(name):
  """torchvision's network of 1000 classes, with drawn statistics and whatever heads its weights have."""
  flags = {} if name.startswith("resnet") else {"aux_logits": True, "init_weights": False}
  network = models.get_model(name, weights=None, **flags)
  for module in network.modules():
    if isinstance(module, torch.nn.BatchNorm2d):
      torch.nn.init.uniform_(module.weight, 0.5, 1.5)
      torch.nn.init.uniform_(module.bias, -0.5, 0.5)
      module.running_mean.uniform_(-0.3, 0.3)
      module.running_var.uniform_(0.5, 1.5)
      module.num_batches_tracked.fill_(7)
  return network.eval()


def network_file(network, name, side):
  """network.json in float, of the convolutions that are quantized: all but the first."""
  convs = [path for path, module in network.named_modules()
           if isinstance(module, torch.nn.Conv2d) and not path.startswith(HEADS)][1:]
  return json.dumps({"format": "nqdarts fixed network", "version": 1, "build_id": "",
                     "network": {"name": name, "images": "imagenet", "image_side": side, "classes": 1000,
                                 "eight_bit": "published"},
                     "bits": {conv: [32, 32] for conv in convs}, "search": {}, "cost": {}})


class TorchvisionTest(unittest.TestCase):

  def setUp(self):
    folder = tempfile.TemporaryDirectory()
    self.addCleanup(folder.cleanup)
    self.folder = pathlib.Path(folder.name)
    torch.manual_seed(0)

  def logits(self, weights, images):
    """What C++ says in float64."""
    torch.save({"images": images}, self.folder / "images.pt")
    files = [self.folder / file for file in ("network.json", weights, "images.pt", "logits.pt")]
    subprocess.run([PRINT_LOGITS, *files, "float64"], check=True)
    return torch.load(self.folder / "logits.pt", weights_only=True)["logits"]

  def test_logits_are_torchvisions(self):
    for name in ("resnet18", "resnet50", "googlenet", "inception_v3"):
      with self.subTest(name):
        network, side = make(name), 75 if name == "inception_v3" else 64
        (self.folder / "network.json").write_text(network_file(network, name, side))
        torch.save(network.state_dict(), self.folder / "new.pth")
        torch.save(network.state_dict(), self.folder / "old.pth", _use_new_zipfile_serialization=False)
        images = torch.randn(3, 3, side, side, dtype=torch.float64)
        with torch.no_grad():
          theirs = network.double()(images)
        for weights in ("new.pth", "old.pth"):
          difference = ((self.logits(weights, images) - theirs).abs().max() / theirs.abs().max()).item()
          print(f"{name}, {weights}: logits differ by {difference:.1e}")
          self.assertLess(difference, 1e-10)

  def train(self, *flags):
    return subprocess.run(
        [f"{TOOLS}/train", f"--train_data={self.folder}/few.tar", "--images=imagenet", "--image_size=33", "--batch=30", "--epochs=1",
         "--weight_lr=0.001", f"--run={self.folder}/run", *flags], capture_output=True, text=True, check=False)

  def assert_refused(self, words, *flags):
    done = self.train(*flags)
    self.assertNotEqual(done.returncode, 0)
    self.assertEqual(done.stderr.count("\n"), 1, done.stderr)
    self.assertIn(words, done.stderr)
    self.assertFalse((self.folder / "run").exists())

  def test_training_starts_from_them(self):
    with tarfile.open(DIGITS) as tar, tarfile.open(self.folder / "few.tar", "w") as few:
      for member in [member for member in tar if member.isfile()][::12]:
        few.addfile(member, tar.extractfile(member))
    network = make("resnet18")
    path = self.folder / "resnet18-f37072fd.pth"
    torch.save(network.state_dict(), path)
    start = (f"--initial_weights={path}", "--replace_classifier")
    self.assert_refused("fc.bias [1000] instead of [10]", "--network=resnet18", start[0])
    self.assert_refused("--replace_classifier takes all but the classifier's", "--network=resnet18", start[0])
    self.assert_refused("tensors are missing (layer1.0.bn3.bias, ", "--network=resnet50", *start)
    self.assert_refused("tensors are missing (conv1.bn.bias, ", "--network=googlenet", *start)
    torch.save(network, self.folder / "whole.pth")
    self.assert_refused("whole.pth: ", "--network=resnet18", f"--initial_weights={self.folder}/whole.pth")

    done = self.train("--network=resnet18", "--abits=4", "--wbits=4", *start)
    self.assertEqual(done.returncode, 0, done.stderr)
    trained = torch.load(self.folder / "run" / "weights.pt", weights_only=True)
    self.assertEqual(set(trained), set(network.state_dict()))
    self.assertEqual(trained["fc.weight"].shape, (10, 512))
    # A step of little rate, from there and from nowhere else.
    theirs = network.state_dict()["layer3.0.conv2.weight"]
    self.assertLess((trained["layer3.0.conv2.weight"] - theirs).norm().item(), 0.1 * theirs.norm().item())
    network.fc = torch.nn.Linear(512, 10)
    network.load_state_dict(trained)


if __name__ == "__main__":
  unittest.main()
