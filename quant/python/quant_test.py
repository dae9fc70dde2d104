#!/usr/bin/env python3
"""The operators in Python are the composed formulas, with their gradients, and torch's compilers see through them."""

import itertools
import unittest

import torch
from nqdarts.quant import (
    ActivationQuantizer,
    MixedActivationQuantizer,
    MixedPrecisionConv2d,
    MixedWeightQuantizer,
    PrecisionConv2d,
    WeightQuantizer,
    mixed_activation,
    mixed_weight,
)

HWGQ = {1: 0.799, 2: 0.538, 3: 0.3217, 4: 0.185}
GAUSSIAN = {1: 1.596, 2: 0.996, 3: 0.586, 4: 0.336}
FLAVOURS = ("published", "published_search", "symmetric")


def straight_through(value, x):
    return x + (value - x).detach()


def half_to_even(x):
    return straight_through(x.round(), x)


def activation(x, bits, flavour):
    if bits == 32:
        return x
    if bits < 5:
        step = HWGQ[bits]
        return half_to_even(x.clamp(0, step * (2**bits - 1)) / step) * step
    return of_range(x, bits, flavour, True)


def weight(w, bits, flavour):
    if bits == 32:
        return w
    if bits < 5:
        step = GAUSSIAN[bits] * w.detach().std()
        bound = (2**bits / 2 - 0.5) * step
        return straight_through((((w / step + 0.5).round() - 0.5) * step).clamp(-bound, bound), w)
    return of_range(w, bits, flavour, False)


def of_range(x, bits, flavour, is_activation):
    """Of a tensor, at 8 bits as _quant_per_channel in QDARTS/model.py has it; and symmetric ones."""
    value, steps, half = x.detach(), 2**bits - 1, 2**(bits - 1) - 1
    if flavour == "symmetric":
        dims = tuple(range(x.dim())) if is_activation else tuple(range(1, x.dim()))
        low, high = value.amin(dims, keepdim=True), value.amax(dims, keepdim=True)
        if is_activation and value.min() >= 0:
            scale, least, greatest = high / steps, 0, steps
        else:
            scale, least, greatest = torch.maximum(low.abs(), high.abs()) / half, -half, half
        return straight_through((value / scale).round().clamp(least, greatest) * scale, x)
    dims = (0, *range(2, x.dim()))
    low, high = value.amin(dims, keepdim=True), value.amax(dims, keepdim=True)
    extra = 1e-10 if flavour == "published" else 0
    if is_activation and value.min() >= -0.05:
        scale = (high - low) / steps + extra
        result = ((value / scale).round() * scale).clamp(torch.zeros_like(scale), steps * scale)
    else:
        scale = 2 * torch.maximum(low.abs(), high.abs()) / steps + extra
        result = (((value / scale + 0.5).round() - 0.5) * scale).clamp(-half * scale, half * scale)
    return straight_through(result, x)


def composed(formula, x, bits, probs, flavour):
    return sum(p * formula(x, b, flavour) for p, b in zip(probs, bits))


class QuantTest(unittest.TestCase):
    def assert_close(self, a, b, what=None, tolerance=1e-12):
        self.assertTrue(torch.allclose(a, b, rtol=tolerance, atol=tolerance), what)

    def test_mixtures_and_their_gradients_are_the_composed_formulas(self):
        torch.manual_seed(1)
        kinds = ((mixed_activation, activation), (mixed_weight, weight))
        for (operator, formula), flavour in itertools.product(kinds, FLAVOURS):
            for bits in ([2, 4], [2, 4, 8], [1, 3, 32], [8], [2], [4], [5], [6, 7], [32]):
                for shift in (0.0, 1.0):  # with negatives, and with few
                    x = (torch.randn(4, 6, 5, 5, dtype=torch.float64) + shift).abs_() if shift else \
                        torch.randn(4, 6, 5, 5, dtype=torch.float64)
                    probs = torch.softmax(torch.randn(len(bits), dtype=torch.float64), 0)
                    if len(bits) == 1:
                        probs = torch.ones(1, dtype=torch.float64)
                    toward = torch.randn_like(x)
                    results = []
                    for compute in (lambda a, p: operator(a, bits, p, flavour),
                                    lambda a, p: composed(formula, a, bits, p, flavour)):
                        a, p = x.clone().requires_grad_(), probs.clone().requires_grad_()
                        y = compute(a, p)
                        (y * toward).sum().backward()
                        results.append((y.detach(), a.grad, p.grad if len(bits) > 1 else torch.zeros(1)))
                    for ours, theirs in zip(*results):
                        self.assert_close(ours, theirs, (operator.__name__, flavour, bits, shift))

    def test_ranges_of_another_tensor(self):
        x = torch.randn(2, 3, 4, 4, dtype=torch.float64)
        other = 2 * torch.randn(5, 3, 1, 1, dtype=torch.float64)
        y = mixed_activation(torch.cat([x.clamp(other.amin(0), other.amax(0))]), [8], range_of=other)
        scale = 2 * other.abs().amax((0, 2, 3), keepdim=True) / 255 + 1e-10
        levels = y / scale + 0.5
        self.assertTrue((torch.minimum((levels - levels.round()).abs(), (y.abs() / scale - 127).abs()) < 1e-6).all())

    def test_modules(self):
        torch.manual_seed(2)
        x = torch.randn(2, 4, 6, 6)
        self.assert_close(ActivationQuantizer(2)(x), activation(x, 2, "published"), tolerance=1e-6)
        self.assert_close(WeightQuantizer(4)(x), weight(x, 4, "published"), tolerance=1e-6)
        conv = MixedPrecisionConv2d(4, 8, 3, padding=1, bits=(2, 4, 8))
        self.assertEqual({name for name, _ in conv.named_parameters()},
                         {"conv.weight", "activation.gamma", "weight.gamma"})
        y = conv(x)
        reference = torch.nn.functional.conv2d(
            composed(activation, x, (2, 4, 8), conv.activation.probabilities(), "published"),
            composed(weight, conv.conv.weight, (2, 4, 8), conv.weight.probabilities(), "published"), padding=1)
        self.assert_close(y, reference, tolerance=1e-5)
        (y.square().sum() + conv.activation.expected_bits()).backward()
        self.assertTrue(all(parameter.grad.abs().sum() > 0 for parameter in conv.parameters()))
        with torch.no_grad():
            conv.activation.gamma.copy_(torch.tensor([0.0, 1, 0]))
            conv.weight.gamma.copy_(torch.tensor([1.0, 0, 0]))
        chosen = conv.chosen()
        self.assertEqual((chosen.activation_bits, chosen.weight_bits), (4, 2))
        self.assert_close(chosen(x), torch.nn.functional.conv2d(
            activation(x, 4, "published"), weight(conv.conv.weight, 2, "published"), padding=1), tolerance=1e-5)

    def test_a_fixed_range_holds_in_evaluation(self):
        conv = PrecisionConv2d(3, 4, 1, activation_bits=8)
        conv.activation_range = torch.tensor([[-1.0, -2, -3], [1, 2, 3]])
        self.assertEqual(set(conv.state_dict()), {"conv.weight", "activation_range"})
        x = torch.randn(8, 3, 4, 4)
        conv.eval()
        self.assert_close(conv(x)[:1], conv(x[:1]), tolerance=1e-6)
        conv.train()
        self.assertFalse(torch.allclose(conv(x)[:1], conv(x[:1]), rtol=1e-6))

    def test_compile_and_export_see_through(self):
        torch.manual_seed(3)
        network = torch.nn.Sequential(MixedPrecisionConv2d(3, 4, 3, bits=(2, 4, 8)), torch.nn.ReLU(),
                                      PrecisionConv2d(4, 2, 1, activation_bits=8, weight_bits=4, eight_bit="symmetric"))
        x = torch.randn(2, 3, 8, 8)

        def gradients(function):
            network.zero_grad()
            function(x).square().sum().backward()
            return [parameter.grad.clone() for parameter in network.parameters()]

        expected = gradients(network)
        compiled = torch.compile(network, backend="aot_eager", fullgraph=True)
        self.assert_close(compiled(x), network(x), tolerance=1e-6)
        for ours, theirs in zip(gradients(compiled), expected):
            self.assert_close(ours, theirs, tolerance=1e-5)
        batch = torch.export.Dim("batch", min=1, max=64)
        exported = torch.export.export(network, (x,), dynamic_shapes=({0: batch},))
        names = [str(node.target) for node in exported.graph.nodes]
        self.assertIn("nqdarts.mixed_quantize.default", names)
        more = torch.randn(5, 3, 8, 8)
        self.assert_close(exported.module()(more), network(more), tolerance=1e-6)

    def test_fake_tensors_have_the_shapes_of_real_ones(self):
        for operator, bits, flavour in itertools.product((mixed_activation, mixed_weight), ([2], [2, 8]), FLAVOURS):
            arguments = dict(bits=bits, eight_bit=flavour)
            real = torch.randn(3, 4, 5, 5)
            probs = torch.ones(len(bits)) / len(bits)
            y = operator(real, probs=probs, **arguments)
            fake = operator(real.to("meta"), probs=probs.to("meta"), **arguments)
            self.assertEqual((fake.shape, fake.stride(), fake.dtype), (y.shape, y.stride(), y.dtype))
        x = torch.randn(2, 3, 4, 4, dtype=torch.float64, requires_grad=True)
        lattices = torch.ops.nqdarts.lattices(x.detach(), [2, 8], 0, 0)
        probs = torch.tensor([0.5, 0.5], dtype=torch.float64, requires_grad=True)
        torch.library.opcheck(torch.ops.nqdarts.mixed_quantize.default, (x, probs, lattices, 1))

    def test_errors_name_the_argument(self):
        x = torch.randn(2, 3, 4, 4)
        for call, words in ((lambda: mixed_activation(x, [9]), "bits: is 9; expected one of 1, 2, 3, 4, 5, 6, 7, 8, 32"),
                            (lambda: mixed_activation(x, []), "bits: is empty"),
                            (lambda: mixed_weight(x, [2, 4]), r"probs: has shape None; expected \[2\]"),
                            (lambda: mixed_weight(x, [2, 4], torch.ones(3)), r"probs: has shape \[3\]; expected \[2\]"),
                            (lambda: mixed_activation(x[0, 0, 0], [8]), r"x: has shape \[4\]"),
                            (lambda: PrecisionConv2d(3, 4, 1, weight_bits=9), "weight_bits: is 9"),
                            (lambda: ActivationQuantizer(8, "signed"), "eight_bit: is 'signed'; expected one of 'published'"),
                            (lambda: MixedWeightQuantizer([2, 9]), "bits: is 9"),
                            (lambda: MixedActivationQuantizer([2, 4], "x"), "eight_bit: is 'x'")):
            with self.assertRaisesRegex(ValueError, words):
                call()


if __name__ == "__main__":
    unittest.main()
