#!/usr/bin/env python3
"""Every command that stands indented in these documents does what is said there, on small data.

The commands are read from the documents. What a test cannot have, as ImageNet and its weeks, is replaced by SUBSTITUTIONS,
and nothing else is. In docs/troubleshooting.md a command is followed by the message that it ends with.
"""

import io
import os
import random
import re
import subprocess
import tarfile
import unittest

TOOLS = os.path.abspath("tools")
DOCS = os.path.abspath("docs")
DIGITS = os.path.abspath("tools/sample_data/digits")
WORK = os.environ["TEST_TMPDIR"]

SUBSTITUTIONS = [
    (r"bazel build //tools:all", "true"),
    (r"bin=bazel-bin/tools", f"bin={TOOLS}"),
    (r"bazel run //tools:(\w+) --", rf"{TOOLS}/\1"),
    (r'--launcher="[^"]*" |--\w+_flags=--device=cuda |--device=cuda |mpirun -np \d+ ', ""),
    (r"--threads=16", "--threads=2"),
    (r"--target_bitops=4e9", "--target_bitops=1e7"),
    # A network that is given, on small images, for an epoch.
    (r"/compare --network=", "/compare --dry_run --network="),
    (r"/precision_search --preset=edmips_resnet18", "/precision_search --preset=edmips_resnet18 --image_size=33 --batch=90 --epochs=1"),
    (r"--image_size=224", "--image_size=33"),
    (r"--batch=256 --epochs=\d+", "--batch=90 --epochs=1"),
    # A network that trains in seconds.
    (r"(/search --preset=\w+)", r"\1 --epochs=1 --warmup_epochs=0 --alpha_begin=0 --batch=16 --channels=8 --layers=3"
     r" --derive_channels=8 --derive_layers=3 --train_fraction=0.2 --search_fraction=0.2 --report_steps=2"),
    (r"(/train --preset=\w+)", r"\1 --epochs=1 --warmup_epochs=0 --lr_schedule=cosine --batch=32"),
    (r"/compare --preset=\w+", "/compare --preset=quickstart --ptq_sweep=8/8"),
    (r"--channels=36 --layers=20", "--channels=8 --layers=3"),
]


def blocks(document):
  """The indented blocks and the fenced ones, as ("commands" or "text", lines)."""
  with open(os.path.join(DOCS, document), encoding="utf-8") as file:
    text = file.read()
  for fenced, indented in re.findall(r"^```text\n(.*?)^```$|((?:^    [^\n]*\n(?:\n(?=    ))?)+)", text, re.MULTILINE | re.DOTALL):
    yield ("text", fenced) if fenced else ("commands", re.sub(r"^    ", "", indented, flags=re.MULTILINE))


def small(commands):
  for pattern, replacement in SUBSTITUTIONS:
    commands = re.sub(pattern, replacement, commands)
  return commands


def images():
  """(name, bytes) of the digits, by class."""
  with tarfile.open(os.path.join(DIGITS, "test.tar")) as tar:
    return [(member.name, tar.extractfile(member).read()) for member in tar if member.isfile()]


def add(tar, name, content):
  info = tarfile.TarInfo(name)
  info.size = len(content)
  tar.addfile(info, io.BytesIO(content))


def make_cifar(folder):
  """cifar-10-binary.tar.gz, of noise."""
  draw = random.Random(1)
  with tarfile.open(os.path.join(folder, "cifar-10-binary.tar.gz"), "w:gz") as tar:
    names = "airplane automobile bird cat deer dog frog horse ship truck"
    add(tar, "cifar-10-batches-bin/batches.meta.txt", names.replace(" ", "\n").encode())
    for batch in [f"data_batch_{i}" for i in range(1, 6)] + ["test_batch"]:
      records = b"".join(bytes([i % 10]) + draw.randbytes(3072) for i in range(100))
      add(tar, f"cifar-10-batches-bin/{batch}.bin", records)


def make_imagenet(folder):
  """The archives of image-net.org, of a few digits."""
  classes = {}
  for name, content in images():
    classes.setdefault(f"n{int(name.split('/')[0]):08d}", []).append(content)
  with tarfile.open(os.path.join(folder, "ILSVRC2012_img_train.tar"), "w") as train:
    for name, members in classes.items():
      of_class = io.BytesIO()
      with tarfile.open(fileobj=of_class, mode="w") as tar:
        for i, content in enumerate(members[:20]):
          add(tar, f"{name}_{i}.JPEG", content)
      add(train, f"{name}.tar", of_class.getvalue())
  with tarfile.open(os.path.join(folder, "ILSVRC2012_img_val.tar"), "w") as val, \
       tarfile.open(os.path.join(folder, "ILSVRC2012_bbox_val_v3.tgz"), "w:gz") as boxes:
    for i, (name, members) in enumerate(sorted(classes.items())):
      add(val, f"ILSVRC2012_val_{i:08d}.JPEG", members[-1])
      add(boxes, f"val/ILSVRC2012_val_{i:08d}.xml",
          f"<annotation>\n\t<object>\n\t\t<name>{name}</name>\n\t</object>\n</annotation>\n".encode())


def make_digits(folder):
  """data/train and data/test, packed."""
  for part in ("train", "test"):
    subprocess.run([f"{TOOLS}/pack", f"--input={DIGITS}/{part}.tar", f"--output={folder}/data/{part}"], check=True,
                   stdout=subprocess.DEVNULL)


def make_networks(folder):
  """shards/train and shards/val, and weights with torchvision's names."""
  make_digits(folder)
  for part in ("train", "val"):
    subprocess.run([f"{TOOLS}/pack", f"--input={DIGITS}/test.tar", f"--output={folder}/shards/{part}"], check=True,
                   stdout=subprocess.DEVNULL)
  subprocess.run([f"{TOOLS}/train", "--network=resnet18", "--images=imagenet", "--image_size=33", "--batch=90", "--epochs=1",
                  f"--train_data={folder}/shards/train", f"--run={folder}/float"], check=True, stdout=subprocess.DEVNULL)
  os.rename(f"{folder}/float/weights.pt", f"{folder}/resnet18-f37072fd.pth")


def make_published(folder):
  """What a search of the published code leaves, and data."""
  make_digits(folder)
  search = small("tools/search --preset=cifar").replace("tools/search", "").split()
  subprocess.run([f"{TOOLS}/search", *search, f"--train_data={folder}/data/train", f"--run={folder}/before"], check=True,
                 stdout=subprocess.DEVNULL)
  for form, output, *flags in (("gammas", "gamma_checkpoint.t7", f"--weights={folder}/before"),
                               ("genotypes_py", "genotypes.py", f"--architecture={folder}/before/architecture.json")):
    subprocess.run([f"{TOOLS}/convert", f"--format={form}", f"--output={folder}/{output}", *flags], check=True)


class DocumentsTest(unittest.TestCase):

  def folder(self, name, make):
    folder = os.path.join(WORK, name)
    if not os.path.isdir(folder):
      os.mkdir(folder)
      make(folder)
    return folder

  def run_document(self, document, folder):
    """All commands in one shell, whose first failure is the end."""
    script = "\n".join(small(lines) for kind, lines in blocks(document) if kind == "commands")
    self.assertIn("\n", script)
    done = subprocess.run(["bash", "-euo", "pipefail", "-c", f"set -x\n{script}"], cwd=folder, capture_output=True, text=True,
                          check=False)
    self.assertEqual(done.returncode, 0, f"{document}:\n{done.stdout[-2000:]}\n{done.stderr[-3000:]}")
    return done.stdout

  def test_cifar(self):
    text = self.run_document("cifar.md", self.folder("cifar", make_cifar))
    self.assertIn("500 samples", text)
    self.assertIn("would run    search on 500 images of 10 classes", text)
    self.assertRegex(text, r"accuracy +[0-9.]+ % of 100 images")
    # Which says how to look at what that made.
    self.run_document("metrics.md", self.folder("cifar", make_cifar))

  def test_imagenet(self):
    text = self.run_document("imagenet.md", self.folder("imagenet", make_imagenet))
    self.assertIn("200 samples of 10 classes", text)
    self.assertRegex(text, r"accuracy +[0-9.]+ % of 10 images")

  def test_from_the_published_code(self):
    folder = self.folder("published", make_published)
    self.run_document("from_the_published_code.md", folder)
    for name in ("architecture.json", "weights.pt", "found.py", "gammas.t7", "supernet.pt"):
      self.assertGreater(os.path.getsize(os.path.join(folder, name)), 0)

  def test_networks(self):
    folder = self.folder("networks", make_networks)
    text = self.run_document("networks.md", folder)
    self.assertRegex(text, r"exact sums  0 of [0-9]* levels, 0 of 360 classes differ")
    with open(os.path.join(folder, "runs/bits/network.json"), encoding="utf-8") as file:
      self.assertIn('"name": "resnet18"', file.read())

  def test_troubleshooting(self):
    """Each message is that of the command before it."""
    folder = self.folder("trouble", make_digits)
    count, shown = 0, None
    for kind, lines in blocks("troubleshooting.md"):
      if kind == "commands":
        self.assertIsNot(shown, False)
        # Variables and files of earlier blocks stay.
        script = f"if [ -e .state ]; then . ./.state; fi\n{small(lines)}\ndeclare -p bin data >.state 2>/dev/null"
        done = subprocess.run(["bash", "-c", script], cwd=folder, capture_output=True, text=True, check=False)
        shown = done.stdout + done.stderr
        continue
      for line in filter(None, lines.split("\n")):
        pattern = ".*".join(map(re.escape, line.split("…")))
        self.assertRegex(shown, re.compile(f"^{pattern}$", re.MULTILINE))
        count += 1
    self.assertGreater(count, 9)


if __name__ == "__main__":
  unittest.main()
