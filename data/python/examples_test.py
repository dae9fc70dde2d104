#!/usr/bin/env python3
"""Every example runs, and the five lines of docs/python.md."""

import contextlib
import importlib.util
import io
import json
import pathlib
import re
import struct
import tarfile
import tempfile
import unittest

import torch

DIGITS = pathlib.Path("tools/sample_data/digits").resolve()
BETON = "data/fuzz/corpus/beton/image_label.beton"


def example(name):
    spec = importlib.util.spec_from_file_location(name, f"data/python/examples/{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class ExamplesTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        for name, archive in (("train", "train.tar"), ("val", "test.tar")):
            (self.folder / name).mkdir()
            (self.folder / name / "digits.tar").symlink_to(DIGITS / archive)

    def test_imagenet_training(self):
        torch.manual_seed(0)
        accuracy = example("imagenet_training").main([f"--data-path={self.folder}", "--model=tiny", "--batch-size=64",
                                                      "--epochs=1", "--workers=2", "--lr=0.005"])
        self.assertGreater(accuracy, 0.05)

    def test_what_has_changed_in_it_is_little(self):
        text = pathlib.Path("data/python/examples/imagenet_training.py").read_text()
        self.assertEqual(text.count("# changed"), 3)

    def test_ffcv_translated(self):
        images = example("ffcv_translated").main([BETON, "2"])
        self.assertEqual((tuple(images.shape[1:]), images.dtype), ((3, 160, 160), torch.float16))

    def test_data_loader(self):
        module = example("data_loader")
        loader = module.main([str(self.folder / "train")])
        self.assertEqual(len(loader), -(-len(loader.dataset) // 64))
        small = module.DataLoader(str(self.folder / "val"), 100, "cifar_eval", num_workers=2)
        batches = list(small)
        self.assertEqual([type(batches[0]), sum(len(labels) for _, labels in batches)], [list, len(small.dataset)])
        small.sampler.set_epoch(3)
        self.assertEqual(small.state_dict()["epoch"], 3)

    def test_mds_to_tar(self):
        images = [(bytes([i]) * (10 + i), i % 3) for i in range(5)]
        # Sizes first, of the columns that have none of their own.
        samples = [struct.pack("<II", len(image), 4) + image + struct.pack("<q", label) + b"note"
                   for image, label in images]
        offsets = [4 * (len(samples) + 2)]
        for sample in samples:
            offsets.append(offsets[-1] + len(sample))
        (self.folder / "0.mds").write_bytes(struct.pack(f"<{len(offsets) + 1}I", len(samples), *offsets) +
                                            b"".join(samples))
        shard = {"format": "mds", "compression": None, "raw_data": {"basename": "0.mds"},
                 "column_names": ["image", "label", "note"], "column_encodings": ["jpeg", "int", "str"],
                 "column_sizes": [None, 8, None]}
        (self.folder / "index.json").write_text(json.dumps({"shards": [shard]}))
        example("mds_to_tar").main(self.folder, self.folder / "made.tar")
        with tarfile.open(self.folder / "made.tar") as archive:
            made = [archive.extractfile(member).read() for member in archive]
        self.assertEqual(made, [part for image, label in images for part in (image, b"%d" % label, b"note")])
        with self.assertRaisesRegex(SystemExit, "which column of image, label, note has the labels"):
            example("mds_to_tar").main(self.folder, self.folder / "none.tar", "image", "note")
        self.assertFalse((self.folder / "none.tar").exists())

    def test_the_document(self):
        text = pathlib.Path("docs/python.md").read_text()
        (program,) = re.findall(r"```python\n(from nqdarts.data import Loader\n.*?)```", text, re.DOTALL)
        self.assertLessEqual(len(program.strip().splitlines()), 5)
        program = program.replace("/data/imagenet/train", str(self.folder / "train"))
        output = io.StringIO()
        with contextlib.redirect_stdout(output):
            exec(compile(program, "docs/python.md", "exec"), {})
        self.assertIn("torch.Size([256, 3, 224, 224])", output.getvalue())


if __name__ == "__main__":
    unittest.main()
