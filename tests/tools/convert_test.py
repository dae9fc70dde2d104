#!/usr/bin/env python3
"""Files between ours and the published code's, both ways, with Python's torch at the other end."""

import importlib.util
import json
import os
import subprocess
import sys
import unittest

sys.path.insert(0, os.path.abspath("tests/tools"))

import python_libraries  # noqa: E402

WORK = os.environ["TEST_TMPDIR"]
DIGITS = os.path.abspath("tools/sample_data/digits/train.tar")
SHAPE = ["--images=cifar", "--image_size=16", "--channels=4", "--layers=3", "--noauxiliary"]

# Names and values are the same in all files. Prints how many there are.
SAME = """
import sys, torch
first, *others = (torch.load(path, weights_only=True) for path in sys.argv[1:])
for other, path in zip(others, sys.argv[2:]):
  assert first.keys() == other.keys(), (path, first.keys() ^ other.keys())
  for name in first:
    assert first[name].dtype == other[name].dtype and torch.equal(first[name], other[name]), (path, name)
print(len(first))
"""

# Loads both files, one of DataParallel, into a cell's operations as PC-DARTS builds them, strictly, and so finds every name and shape.
PC_DARTS = """
import sys, torch
from torch import nn

def separable(c, k):
  def half():
    return [nn.ReLU(), nn.Conv2d(c, c, k, padding=k // 2, groups=c, bias=False), nn.Conv2d(c, c, 1, bias=False),
            nn.BatchNorm2d(c)]
  return nn.Sequential(*half(), *half())

def dilated(c, k):
  return nn.Sequential(nn.ReLU(), nn.Conv2d(c, c, k, padding=k - 1, dilation=2, groups=c, bias=False),
                       nn.Conv2d(c, c, 1, bias=False), nn.BatchNorm2d(c))

def module(**children):
  holder = nn.Module()
  for name, child in children.items():
    setattr(holder, name, child)
  return holder

def reduced(c_in, c):
  return module(conv_1=nn.Conv2d(c_in, c // 2, 1, bias=False), conv_2=nn.Conv2d(c_in, c - c // 2, 1, bias=False),
                bn=nn.BatchNorm2d(c))

def conv_bn(c_in, c):
  return module(op=nn.Sequential(nn.ReLU(), nn.Conv2d(c_in, c, 1, bias=False), nn.BatchNorm2d(c)))

def operation(name, c, stride):
  kind, _, size = name.rpartition("_")
  if kind == "sep_conv":
    return module(op=separable(c, int(size[0])))
  if kind == "dil_conv":
    return module(op=dilated(c, int(size[0])))
  if name == "skip_connect" and stride == 2:
    return reduced(c, c)
  return nn.Identity()

def network(normal, reduce, c, layers, classes):
  cells, before, last, was_reduction = nn.ModuleList(), 3 * c, 3 * c, False
  for i in range(layers):
    reduction = i in (layers // 3, 2 * layers // 3)
    c *= 2 if reduction else 1
    edges = reduce if reduction else normal
    cells.append(module(
        preprocess0=reduced(before, c) if was_reduction else conv_bn(before, c), preprocess1=conv_bn(last, c),
        _ops=nn.ModuleList([operation(name, c, 2 if reduction and source < 2 else 1) for name, source in edges])))
    before, last, was_reduction = last, 4 * c, reduction
  return module(stem=nn.Sequential(nn.Conv2d(3, 3 * cells[0].preprocess1.op[1].in_channels // 3, 3, bias=False),
                                   nn.BatchNorm2d(cells[0].preprocess1.op[1].in_channels)),
                cells=cells, classifier=nn.Linear(last, classes))

plain, in_module, genotype = sys.argv[1:]
from collections import namedtuple
Genotype = namedtuple('Genotype', 'normal normal_concat reduce reduce_concat')
found = eval(genotype)
net = network(found.normal, found.reduce, 4, 3, 10)
net.load_state_dict(torch.load(plain, weights_only=True))
module(module=net).load_state_dict(torch.load(in_module, weights_only=True))
print(sum(p.numel() for p in net.parameters()))
"""

# As training scripts of the published code keep weights: SOURCE.pt becomes SOURCE_plain.pt and so on.
SAVE = """
import collections, sys, torch
for source in sys.argv[1:]:
  state = collections.OrderedDict(torch.load(source, weights_only=True))
  in_module = collections.OrderedDict(("module." + name, tensor) for name, tensor in state.items())
  checkpoint = {"epoch": 3, "state_dict": in_module, "best_acc_top1": 0.5,
                "optimizer": {"state": {}, "param_groups": [{"lr": 0.1}]}}
  for form, content in (("plain", state), ("module", in_module), ("checkpoint", checkpoint)):
    torch.save(content, source.replace(".pt", f"_{form}.pt"))
  torch.save(state, source.replace(".pt", "_old.pt"), _use_new_zipfile_serialization=False)
"""

# Turns every choice of activation bits of SOURCE around, and prints shapes.
TURN = """
import json, sys, torch
source, target = sys.argv[1:]
gammas = torch.load(source, weights_only=True)
print(json.dumps({name: list(tensor.shape) for name, tensor in gammas.items()}))
torch.save({name: tensor.flip(-1) if "activ" in name else tensor for name, tensor in gammas.items()}, target)
"""


def tool(name, *flags):
  done = subprocess.run([os.path.abspath(os.path.join("tools", name)), *flags], cwd=WORK, capture_output=True, text=True,
                        check=False)
  if done.returncode != 0:
    raise AssertionError(f"{name} {' '.join(flags)}\n{done.stdout[-2000:]}\n{done.stderr[-2000:]}")
  return done.stdout


def path(name):
  return os.path.join(WORK, name)


def read_json(name):
  with open(path(name), encoding="utf-8") as file:
    return json.load(file)


def read_text(name):
  with open(path(name), encoding="utf-8") as file:
    return file.read()


class ConvertTest(unittest.TestCase):

  @classmethod
  def setUpClass(cls):
    small = ["--preset=quickstart", "--image_size=16", "--layers=3", "--epochs=1", f"--train_data={DIGITS}", "--seed=4"]
    tool("search", *small, "--derive_layers=3", "--derive_channels=4", "--batch=16", "--train_fraction=0.1",
         "--search_fraction=0.1", "--run=search")
    tool("train", *small, "--channels=4", "--architecture=PC_DARTS_cifar", "--run=train", "--batch=512")

  def convert(self, form, output, *flags):
    tool("convert", f"--format={form}", f"--output={output}", *flags)

  def refused(self, text, *flags):
    done = subprocess.run([os.path.abspath("tools/convert"), *flags], cwd=WORK, capture_output=True, text=True, check=False)
    self.assertNotEqual(done.returncode, 0, flags)
    self.assertEqual(done.stderr.count("\n"), 1, done.stderr)
    self.assertIn(text, done.stderr)
    self.assertFalse(os.path.exists(path("refused")))

  def test_weights_that_pc_darts_loads(self):
    network = ["--architecture=train/architecture.json", "--weights=train/weights.pt"]
    self.convert("genotype", "genotype.txt", network[0])
    genotype = read_text("genotype.txt").strip()
    parameters = read_json("train/architecture.json")["cost"]["parameters"]
    self.convert("pcdarts", "plain.pt", *network)
    self.convert("pcdarts", "in_module.pt", *network, "--module")
    loaded = python_libraries.run_torch(PC_DARTS, path("plain.pt"), path("in_module.pt"), genotype)
    self.assertEqual(int(loaded), parameters)

  def test_weights_there_and_back(self):
    network = ["--architecture=train/architecture.json"]
    forms = ("qdarts", "pcdarts", "fbqat")
    for form in forms:
      self.convert(form, f"{form}.pt", *network, "--weights=train/weights.pt")
    python_libraries.run_torch(SAVE, *(path(f"{form}.pt") for form in forms))
    kept = [f"qdarts_{how}" for how in ("plain", "module", "checkpoint", "old")] + ["pcdarts_module", "fbqat_plain"]
    backs = [f"back_{name}.pt" for name in kept]
    for name, back in zip(kept, backs):
      self.convert("weights", back, *network, f"--weights={name}.pt")
    # Of a genotype, and of a checkpoint, too.
    self.convert("weights", "back_genotype.pt", "--architecture=PC_DARTS_cifar", *SHAPE, "--weights=pcdarts_plain.pt")
    checkpoint, = os.listdir(path("train/checkpoints"))
    self.convert("weights", "back_checkpoint.pt", *network, f"--weights=train/checkpoints/{checkpoint}")
    backs += ["back_genotype.pt", "back_checkpoint.pt"]
    count = python_libraries.run_torch(SAME, path("train/weights.pt"), *map(path, backs))
    self.assertGreater(int(count), 100)

  def test_gammas_there_and_back(self):
    self.convert("gammas", "gamma_checkpoint.t7", "--weights=search")
    shapes = json.loads(python_libraries.run_torch(TURN, path("gamma_checkpoint.t7"), path("turned.t7")))
    self.assertEqual(shapes, {f"gamma_{of}_cell{kind}{rest}": [cells, *rows, 2]
                              for of in ("activ", "weight") for kind, cells in (("n", 1), ("r", 2))
                              for rest, rows in (("_preprocess0", []), ("_preprocess1", []), ("", [14, 6]))})
    self.convert("genotypes_py", "genotypes.py", "--architecture=search/architecture.json", "--name=FOUND")
    bits = read_json("search/architecture.json")["bits"]
    for gammas, turned in (("gamma_checkpoint.t7", False), ("turned.t7", True)):
      self.convert("architecture", "architecture.json", "--architecture=genotypes.py:FOUND", *SHAPE, "--classes=10",
                   f"--gammas={gammas}")
      self.assertEqual(read_json("architecture.json")["bits"],
                       {name: [6 - pair[0] if turned else pair[0], pair[1]] for name, pair in bits.items()})

  def test_genotypes_there_and_back(self):
    genotype = read_json("search/architecture.json")["genotype"]
    self.convert("genotypes_py", "found.py", "--architecture=search/architecture.json", "--name=FOUND")
    spec = importlib.util.spec_from_file_location("found", path("found.py"))
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    self.assertEqual(module.FOUND.normal, [tuple(edge) for edge in genotype["normal"]])
    self.assertEqual(list(module.FOUND.reduce_concat), genotype["reduce_concat"])
    self.assertEqual(module.PRIMITIVES[3], "skip_connect")
    # What Python prints, in a log and in a module with others.
    with open(path("log.txt"), "w", encoding="utf-8") as file:
      file.write(f"11/26 09:00:00 AM genotype = {module.FOUND}\n")
    with open(path("more.py"), "w", encoding="utf-8") as file:
      file.write(f"{read_text('found.py')}\nOther = {module.FOUND._replace(normal=module.FOUND.reduce)}\nBest = FOUND\n")
    for source in ("found.py", "found.py:FOUND", "log.txt", "more.py:Best"):
      self.convert("architecture", "architecture.json", f"--architecture={source}", *SHAPE, "--classes=10")
      self.assertEqual(read_json("architecture.json")["genotype"], genotype, source)
    self.convert("genotype", "genotype.txt", "--architecture=more.py:Other")
    self.assertEqual(eval(read_text("genotype.txt"), {"Genotype": module.Genotype}).normal, module.FOUND.reduce)
    self.refused("more.py: holds more than one genotype; there are FOUND, Other", "--format=genotype", "--output=refused",
                 "--architecture=more.py")

  def test_weights_of_a_search(self):
    self.convert("supernet", "supernet.pt", "--weights=search", "--module")
    names = python_libraries.run_torch(
        "import sys, torch\nprint(*torch.load(sys.argv[1], weights_only=True))", path("supernet.pt")).split()
    self.assertTrue(all(name.startswith("module.") for name in names))
    self.assertIn("module.cells.0._ops.13._ops.4.conv1.mix_weight.conv.weight", names)
    self.assertIn("module.stem.0.weight", names)
    self.assertFalse([name for name in names if "gamma_" in name or "alphas_" in name or "optimizer" in name])

  def test_what_is_missing_is_named(self):
    self.refused("--format: is required", "--output=refused")
    self.refused("--format=pcdart: must be one of architecture, ", "--format=pcdart", "--output=refused")
    self.refused("did you mean pcdarts?", "--format=pcdart", "--output=refused")
    self.refused("--weights: is required", "--format=pcdarts", "--output=refused", "--architecture=PC_DARTS_cifar")
    self.refused("is no search's", "--format=gammas", "--output=refused", "--weights=train")
    self.refused("nothing says how many classes there are", "--format=architecture", "--output=refused",
                 "--architecture=PC_DARTS_cifar")
    self.refused("--name=2: is no Python name", "--format=genotypes_py", "--output=refused", "--name=2",
                 "--architecture=PC_DARTS_cifar")
    self.refused("tensors are missing", "--format=weights", "--output=refused", "--architecture=PC_DARTS_image", *SHAPE,
                 "--weights=train/weights.pt")
    self.assertIn("would write refused as genotype", tool("convert", "--format=genotype", "--output=refused", "--dry_run",
                                                          "--architecture=PC_DARTS_cifar"))
    self.assertFalse(os.path.exists(path("refused")))


if __name__ == "__main__":
  unittest.main()
