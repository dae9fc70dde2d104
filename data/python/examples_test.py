#!/usr/bin/env python3
"""Every example runs, and the five lines of docs/python.md."""

import contextlib
import importlib.util
import io
import pathlib
import re
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
