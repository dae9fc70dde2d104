"""Quantizers as modules."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from nqdarts.quant.functional import check_bits, check_eight_bit, mixed_activation, mixed_weight


class _Fixed(nn.Module):
    def __init__(self, bits: int, eight_bit: str = "published"):
        super().__init__()
        self.bits = check_bits("bits", bits)
        self.eight_bit = check_eight_bit(eight_bit)

    def extra_repr(self) -> str:
        return f"bits={self.bits}" + (f", eight_bit={self.eight_bit!r}" if operators.has_range([self.bits]) else "")


class ActivationQuantizer(_Fixed):
    """Quantizes activations to ``bits`` bits. [n, channels, ...] -> the same shape."""

    def forward(self, x: Tensor) -> Tensor:
        return mixed_activation(x, [self.bits], eight_bit=self.eight_bit)


class WeightQuantizer(_Fixed):
    """Quantizes weights to ``bits`` bits. [out, in / groups, ...] -> the same shape."""

    def forward(self, weight: Tensor) -> Tensor:
        return mixed_weight(weight, [self.bits], eight_bit=self.eight_bit)


class _Mixed(nn.Module):
    def __init__(self, bits: Sequence[int], eight_bit: str = "published"):
        super().__init__()
        self.bits = [check_bits("bits", b) for b in bits]
        self.eight_bit = check_eight_bit(eight_bit)
        self.gamma = nn.Parameter(1e-3 * torch.randn(len(self.bits)))

    def probabilities(self) -> Tensor:
        """Of the candidates: softmax(gamma), [len(bits)]."""
        return self.gamma.softmax(0)

    def expected_bits(self) -> Tensor:
        """A scalar through which a cost reaches gamma."""
        return (self.probabilities() * self.gamma.new_tensor(self.bits)).sum()

    def chosen_bits(self) -> int:
        """The likeliest candidate."""
        return self.bits[int(self.gamma.argmax())]

    def extra_repr(self) -> str:
        return f"bits={self.bits}"


class MixedActivationQuantizer(_Mixed):
    """Activations quantized to each of ``bits``, mixed by softmax(``gamma``), a parameter [len(bits)]."""

    def forward(self, x: Tensor) -> Tensor:
        return mixed_activation(x, self.bits, self.probabilities(), self.eight_bit)


class MixedWeightQuantizer(_Mixed):
    """Weights quantized to each of ``bits``, mixed by softmax(``gamma``), a parameter [len(bits)]."""

    def forward(self, weight: Tensor) -> Tensor:
        return mixed_weight(weight, self.bits, self.probabilities(), self.eight_bit)
