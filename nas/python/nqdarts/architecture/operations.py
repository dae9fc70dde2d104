"""The operations of the search space, with the names and formulas of the published ones (QDARTS/operations_eval.py)."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.functional import relu

from nqdarts.quant import PrecisionConv2d


class ReluConvBn(nn.Module):
    """ReLU, 1x1 convolution, BN."""

    numbered = {"conv": "op.1", "bn": "op.2"}  # PC-DARTS's names of the children

    def __init__(self, in_channels: int, out_channels: int):
        super().__init__()
        self.conv = PrecisionConv2d(in_channels, out_channels, 1)
        self.bn = nn.BatchNorm2d(out_channels)

    def forward(self, x: Tensor) -> Tensor:
        return self.bn(self.conv(relu(x)))


class FactorizedReduce(nn.Module):
    """Half the resolution by two 1x1 convolutions of stride 2, the second on the input shifted by one pixel."""

    numbered: dict[str, str] = {}

    def __init__(self, in_channels: int, out_channels: int):
        super().__init__()
        self.conv_1 = PrecisionConv2d(in_channels, out_channels // 2, 1, stride=2)
        self.conv_2 = PrecisionConv2d(in_channels, out_channels // 2, 1, stride=2)
        self.bn = nn.BatchNorm2d(out_channels)

    def forward(self, x: Tensor) -> Tensor:
        x = relu(x)
        return self.bn(torch.cat([self.conv_1(x), self.conv_2(x[:, :, 1:, 1:])], dim=1))


def _depthwise(channels: int, kernel: int, stride: int, dilation: int = 1) -> PrecisionConv2d:
    return PrecisionConv2d(channels, channels, kernel, stride, dilation * (kernel - 1) // 2, dilation, groups=channels)


class SepConv(nn.Module):
    """ReLU, depthwise, pointwise, BN; twice, the second time with stride 1."""

    numbered = {"conv1": "op.1", "conv2": "op.2", "bn1": "op.3", "conv3": "op.5", "conv4": "op.6", "bn2": "op.7"}

    def __init__(self, channels: int, kernel: int, stride: int):
        super().__init__()
        self.conv1 = _depthwise(channels, kernel, stride)
        self.conv2 = PrecisionConv2d(channels, channels, 1)
        self.bn1 = nn.BatchNorm2d(channels)
        self.conv3 = _depthwise(channels, kernel, 1)
        self.conv4 = PrecisionConv2d(channels, channels, 1)
        self.bn2 = nn.BatchNorm2d(channels)

    def forward(self, x: Tensor) -> Tensor:
        x = self.bn1(self.conv2(self.conv1(relu(x))))
        return self.bn2(self.conv4(self.conv3(relu(x))))


class ConvPair(nn.Module):
    """ReLU, two convolutions, BN."""

    def __init__(self, conv1: PrecisionConv2d, conv2: PrecisionConv2d, channels: int, numbered: dict[str, str]):
        super().__init__()
        self.conv1 = conv1
        self.conv2 = conv2
        self.bn = nn.BatchNorm2d(channels)
        self.numbered = numbered

    def forward(self, x: Tensor) -> Tensor:
        return self.bn(self.conv2(self.conv1(relu(x))))


class Zero(nn.Module):
    """Zeros of the output's shape."""

    def __init__(self, stride: int):
        super().__init__()
        self.stride = stride

    def forward(self, x: Tensor) -> Tensor:
        return torch.zeros_like(x[:, :, :: self.stride, :: self.stride])


def make_operation(primitive: str, channels: int, stride: int) -> nn.Module:
    """[n, channels, h, w] -> the same, or half of h and w at stride 2."""
    if primitive == "none":
        return Zero(stride)
    if primitive == "max_pool_3x3":
        return nn.MaxPool2d(3, stride, padding=1)
    if primitive == "avg_pool_3x3":
        return nn.AvgPool2d(3, stride, padding=1, count_include_pad=False)
    if primitive == "skip_connect":
        return nn.Identity() if stride == 1 else FactorizedReduce(channels, channels)
    if primitive.startswith("sep_conv"):
        return SepConv(channels, int(primitive[-1]), stride)
    if primitive.startswith("dil_conv"):
        return ConvPair(_depthwise(channels, int(primitive[-1]), stride, dilation=2),
                        PrecisionConv2d(channels, channels, 1), channels,
                        {"conv1": "op.1", "conv2": "op.2", "bn": "op.3"})
    return ConvPair(PrecisionConv2d(channels, channels, (1, 7), (1, stride), (0, 3)),
                    PrecisionConv2d(channels, channels, (7, 1), (stride, 1), (3, 0)), channels,
                    {"conv1": "1", "conv2": "2", "bn": "3"})
