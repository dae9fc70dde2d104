#!/usr/bin/env python3
"""The network in Python says what the one in C++ says, and their files are each other's."""

import json
import pathlib
import random
import subprocess
import tempfile
import unittest

import torch
from nqdarts import architecture
from nqdarts.architecture import DerivedNetwork, FixedNetwork, load, load_weights, parse

PRINT_LOGITS = "nas/python/print_logits"

PC_DARTS = {
    "normal": [["sep_conv_3x3", 1], ["skip_connect", 0], ["sep_conv_3x3", 0], ["dil_conv_3x3", 1], ["sep_conv_5x5", 0],
               ["sep_conv_3x3", 1], ["avg_pool_3x3", 0], ["dil_conv_3x3", 1]],
    "normal_concat": [2, 3, 4, 5],
    "reduce": [["sep_conv_5x5", 1], ["max_pool_3x3", 0], ["sep_conv_5x5", 1], ["skip_connect", 1], ["sep_conv_3x3", 3],
               ["sep_conv_3x3", 1], ["conv_7x1_1x7", 2], ["dil_conv_5x5", 3]],
    "reduce_concat": [2, 3, 4, 5],
}


def text_of(bits, genotype=PC_DARTS, **shape):
    network = {"images": "cifar", "image_side": 32, "channels": 8, "layers": 3, "classes": 10, "auxiliary": False,
               "quantize_stem": False, "eight_bit": "published", **shape}
    return json.dumps({"format": "nqdarts architecture", "version": 1, "build_id": "", "network": network,
                       "genotype": genotype, "bits": bits, "search": {}, "cost": {}})


def text_of_fixed(bits, name, **shape):
    network = {"name": name, "images": "imagenet", "image_side": 33, "classes": 10, "eight_bit": "published", **shape}
    return json.dumps({"format": "nqdarts fixed network", "version": 1, "build_id": "", "network": network, "bits": bits,
                       "search": {}, "cost": {}})


def without_bits(network_class, text):
    """To know which convolutions want them."""

    class WithoutBits(network_class):
        def _set_bits(self):
            pass

    return {name: [32, 32] for name in WithoutBits(parse(text)).convolutions()}


def conv_names(**shape):
    return without_bits(DerivedNetwork, text_of({}, **shape))


class ArchitectureTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        torch.manual_seed(0)
        random.seed(0)

    def make(self, choices, **shape):
        """A network of drawn weights, statistics and bits, a fixed one if it has a name; its files lie in the folder."""
        network_class, text = (FixedNetwork, text_of_fixed) if "name" in shape else (DerivedNetwork, text_of)
        bits = {name: [random.choice(choices), random.choice(choices)]
                for name in without_bits(network_class, text({}, **shape))}
        (self.folder / "architecture.json").write_text(text(bits, **shape))
        network = load(self.folder / "architecture.json")
        for module in network.modules():
            if isinstance(module, torch.nn.BatchNorm2d):
                torch.nn.init.uniform_(module.weight, 0.5, 1.5)
                torch.nn.init.uniform_(module.bias, -0.5, 0.5)
                module.running_mean.uniform_(-0.3, 0.3)
                module.running_var.uniform_(0.5, 1.5)
        for conv in network.convolutions().values():
            if 5 <= conv.activation_bits <= 8:
                channels = getattr(conv, "conv", conv).in_channels
                conv.activation_range = torch.stack([-3 * torch.rand(channels), 3 * torch.rand(channels)])
        torch.save(network.state_dict(), self.folder / "weights.pt")
        return network

    def logits_of_cpp(self, images, dtype):
        torch.save({"images": images}, self.folder / "images.pt")
        files = [self.folder / name for name in ("architecture.json", "weights.pt", "images.pt", "logits.pt")]
        subprocess.run([PRINT_LOGITS, *files, dtype], check=True)
        return torch.load(self.folder / "logits.pt", weights_only=True)["logits"]

    def logits_of_python(self, images):
        network = load(self.folder / "architecture.json").to(images.dtype)
        load_weights(network, self.folder / "weights.pt")
        with torch.no_grad():
            return network.eval()(images)

    def test_logits_are_those_of_cpp(self):
        cases = (
            ([32], dict(), "float32", 1e-5),
            ([32], dict(images="imagenet", image_side=64, auxiliary=False), "float32", 1e-5),
            ([2, 4], dict(auxiliary=True), "float64", 1e-9),
            ([2, 4, 32], dict(images="imagenet", image_side=64, classes=7), "float64", 1e-9),
            ([1, 3], dict(quantize_stem=True, auxiliary=True), "float64", 1e-9),
            ([4, 8], dict(eight_bit="symmetric"), "float64", 1e-9),
            ([2, 8], dict(eight_bit="published"), "float64", 1e-9),
            ([32], dict(name="resnet50"), "float32", 1e-5),
            ([2, 4], dict(name="edmips_resnet18"), "float64", 1e-9),
            ([4, 8], dict(name="resnet18", eight_bit="symmetric"), "float64", 1e-9),
            ([4, 32], dict(name="edmips_googlenet"), "float64", 1e-9),
            ([2, 4], dict(name="edmips_inception_v3", image_side=75, classes=7), "float64", 1e-9),
            ([3], dict(name="inception_v3", image_side=75), "float64", 1e-9),
        )
        for choices, shape, dtype, tolerance in cases:
            with self.subTest(bits=choices, **shape):
                self.make(choices, **shape)
                side = shape.get("image_side", 33 if "name" in shape else 32)
                images = torch.randn(4, 3, side, side, dtype=getattr(torch, dtype))
                theirs, ours = self.logits_of_cpp(images, dtype), self.logits_of_python(images)
                # A level that rounds on a tie may differ, and an image with it: they are counted.
                apart = ((ours - theirs).abs() > tolerance * theirs.abs().max()).any(1).sum().item()
                print(f"{choices} {shape}: {apart} of {len(images)} images differ by a tie")
                self.assertLessEqual(apart, 0 if choices == [32] else 1)
                self.assertGreater(theirs.std().item(), 0)

    def test_weights_of_published_code(self):
        network = self.make([2], auxiliary=True)
        state = network.state_dict()
        # PC-DARTS's names, as "module."s under "state_dict", without counters and with what it has beyond ours.
        styles = architecture.weights._styles(network, state)
        for names in styles:
            old = {"module." + names[name]: tensor for name, tensor in state.items() if "num_batches" not in name}
            old["module.cells.0.preprocess0.op.1.size_product"] = torch.zeros(())
            torch.save({"state_dict": old, "epoch": 3}, self.folder / "old.pt")
            again = load(self.folder / "architecture.json", self.folder / "old.pt")
            for name, tensor in again.state_dict().items():
                self.assertTrue(torch.equal(tensor, state[name]), name)
        self.assertIn("cells.0._ops.0.op.1.weight", styles[1].values())
        self.assertIn("stem.0.weight", styles[1].values())
        self.assertIn("cells.0.preprocess1.op.1.conv.weight", styles[2].values())
        self.assertIn("stem.0.conv.weight", styles[2].values())
        self.assertIn("cells.0._ops.0.conv1.conv.weight", styles[0])

    def test_other_weights_are_refused(self):
        network = self.make([2])
        state = network.state_dict()
        before = {name: tensor.clone() for name, tensor in state.items()}
        state["classifier.bias"] = torch.zeros(3)
        state["strange"] = torch.zeros(3)
        del state["stem.0.weight"]
        torch.save(state, self.folder / "other.pt")
        with self.assertRaisesRegex(ValueError, r"other.pt: 1 tensors are missing \(stem.0.weight\); 1 are unexpected "
                                                r"\(strange\); 1 have another shape \(classifier.bias \[3\] instead of"):
            load_weights(network, self.folder / "other.pt")
        for name, tensor in network.state_dict().items():
            self.assertTrue(torch.equal(tensor, before[name]))
        (self.folder / "weights.pt").write_bytes(b"?")
        with self.assertRaises(Exception):
            load_weights(network, self.folder / "weights.pt")

    def test_bad_files_are_refused_by_field(self):
        good = json.loads(text_of(conv_names()))
        changes = (
            (dict(format="x"), 'format: expected "nqdarts architecture" or "nqdarts fixed network"'),
            (dict(format="nqdarts fixed network"), "genotype: unknown field"),
            (dict(version=2), "version: is 2; this build reads version 1"),
            (dict(extra=1), "extra: unknown field; expected one of format, version"),
            (dict(network={**good["network"], "layers": 0}), "network.layers: is 0; expected 1..1000"),
            (dict(network={**good["network"], "layers": True}), "network.layers: is true; expected an integer"),
            (dict(network={**good["network"], "images": "mnist"}), "network.images: is 'mnist'"),
            (dict(genotype={**good["genotype"], "normal": [["sep", 0]] * 8}), r"genotype.normal\[0\]: is"),
            (dict(genotype={**good["genotype"], "normal": [["none", 2]] * 8}), r"genotype.normal\[0\]: predecessor 2"),
            (dict(genotype={**good["genotype"], "reduce_concat": [1]}), "genotype.reduce_concat"),
            (dict(bits={**good["bits"], "cells.0.preprocess0.conv": [2, 9]}), "preprocess0.conv: has 9 bits"),
            (dict(bits={**good["bits"], "cells.9.conv": [2, 2]}), "bits.cells.9.conv: is unknown"),
            (dict(bits={}), "bits.cells.0.preprocess0.conv: is missing"),
        )
        for change, words in changes:
            with self.assertRaisesRegex(ValueError, words):
                DerivedNetwork(parse(json.dumps({**good, **change})))
        (self.folder / "cut.json").write_text(text_of({})[:50])
        with self.assertRaisesRegex(ValueError, "cut.json: malformed JSON at byte"):
            architecture.read(self.folder / "cut.json")
        with self.assertRaisesRegex(OSError, "/no/such"):
            architecture.read("/no/such")

    def test_fixed_networks_have_torchvisions_names_and_lack_auxiliary_heads(self):
        state = self.make([32], name="googlenet").state_dict()
        for name in ("conv1.conv.weight", "inception3a.branch2.1.bn.running_var", "fc.bias"):
            self.assertIn(name, state)
        torch.save({**state, "aux1.fc1.bias": torch.zeros(3)}, self.folder / "with_heads.pt")
        load(self.folder / "architecture.json", self.folder / "with_heads.pt")
        self.assertIn("layer1.0.conv1.conv.weight", self.make([2], name="edmips_resnet18").state_dict())
        with self.assertRaisesRegex(ValueError, "network.name: is 'resnet19'; expected one of edmips_resnet18"):
            FixedNetwork(parse(text_of_fixed({}, "resnet19")))

    def test_it_trains_and_exports(self):
        network = self.make([2, 4], auxiliary=True)
        network.drop_path_probability = 0.3
        images = torch.randn(2, 3, 32, 32)
        logits, auxiliary = network.train()(images)
        self.assertEqual((logits.shape, auxiliary.shape), ((2, 10), (2, 10)))
        (logits.square().mean() + auxiliary.square().mean()).backward()
        without = [name for name, parameter in network.named_parameters() if parameter.grad is None]
        self.assertEqual(without, [])
        network.eval()
        exported = torch.export.export(network, (images,))
        self.assertTrue(torch.allclose(exported.module()(images), network(images), atol=1e-6))


if __name__ == "__main__":
    unittest.main()
