"""Convolutions of quantized activations and weights."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn

from nqdarts.quant.functional import check_bits, check_eight_bit, mixed_activation, mixed_weight
from nqdarts.quant.quantizers import MixedActivationQuantizer, MixedWeightQuantizer


def _conv(in_channels, out_channels, kernel_size, stride, padding, dilation, groups) -> nn.Conv2d:
    return nn.Conv2d(in_channels, out_channels, kernel_size, stride, padding, dilation, groups, bias=False)


class PrecisionConv2d(nn.Module):
    """A convolution without bias of fixed bits: [n, in_channels, h, w] -> [n, out_channels, h', w'].

    Its parameter is ``conv.weight``, as in the published networks. With 8-bit activations it may have a buffer
    ``activation_range``, [2, in_channels]: the least and the greatest value of each channel, which then decide the
    lattices in evaluation, whatever the batch; without, and in training, they are the batch's own.
    """

    def __init__(self, in_channels: int, out_channels: int, kernel_size: int | tuple[int, int],
                 stride: int | tuple[int, int] = 1, padding: int | tuple[int, int] = 0,
                 dilation: int | tuple[int, int] = 1, groups: int = 1, *, activation_bits: int = 32,
                 weight_bits: int = 32, eight_bit: str = "published"):
        super().__init__()
        self.activation_bits = check_bits("activation_bits", activation_bits)
        self.weight_bits = check_bits("weight_bits", weight_bits)
        self.eight_bit = check_eight_bit(eight_bit)
        self.conv = _conv(in_channels, out_channels, kernel_size, stride, padding, dilation, groups)
        self.register_buffer("activation_range", None)

    def forward(self, x: Tensor) -> Tensor:
        return self.conv._conv_forward(self.quantized_input(x), self.quantized_weight(), None)

    def quantized_input(self, x: Tensor) -> Tensor:
        """``x`` as the convolution sees it."""
        fixed = None if self.training or self.activation_range is None else self.activation_range.view(2, -1, 1, 1)
        return mixed_activation(x, [self.activation_bits], eight_bit=self.eight_bit,
                                range_of=None if fixed is None else fixed.to(x.dtype))

    def quantized_weight(self) -> Tensor:
        """[out_channels, in_channels / groups, kernel...]."""
        return mixed_weight(self.conv.weight, [self.weight_bits], eight_bit=self.eight_bit)

    def extra_repr(self) -> str:
        return f"activation_bits={self.activation_bits}, weight_bits={self.weight_bits}"


class MixedPrecisionConv2d(nn.Module):
    """The same while a search runs: ``activation`` and ``weight`` mix candidates of ``bits`` by their own gammas."""

    def __init__(self, in_channels: int, out_channels: int, kernel_size: int | tuple[int, int],
                 stride: int | tuple[int, int] = 1, padding: int | tuple[int, int] = 0,
                 dilation: int | tuple[int, int] = 1, groups: int = 1, *, bits: Sequence[int] = (2, 4),
                 eight_bit: str = "published"):
        super().__init__()
        self.conv = _conv(in_channels, out_channels, kernel_size, stride, padding, dilation, groups)
        self.activation = MixedActivationQuantizer(bits, eight_bit)
        self.weight = MixedWeightQuantizer(bits, eight_bit)

    def forward(self, x: Tensor) -> Tensor:
        return self.conv._conv_forward(self.activation(x), self.weight(self.conv.weight), None)

    def chosen(self) -> PrecisionConv2d:
        """With the likeliest bits, and this one's weight."""
        conv = self.conv
        fixed = PrecisionConv2d(conv.in_channels, conv.out_channels, conv.kernel_size, conv.stride, conv.padding,
                                conv.dilation, conv.groups, activation_bits=self.activation.chosen_bits(),
                                weight_bits=self.weight.chosen_bits(), eight_bit=self.activation.eight_bit)
        fixed.conv.weight = conv.weight
        return fixed
