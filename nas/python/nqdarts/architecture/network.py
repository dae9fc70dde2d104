"""The network of an architecture."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.functional import relu

from nqdarts.architecture.file import Architecture, NetworkShape
from nqdarts.architecture.operations import FactorizedReduce, ReluConvBn, make_operation
from nqdarts.quant import PrecisionConv2d, mixed_activation, mixed_weight


class OuterConv2d(nn.Conv2d):
    """A convolution whose parameter is ``weight``: one outside of the cells, in float unless the stem is quantized, and those
    of torchvision's networks."""

    activation_bits = 32
    weight_bits = 32
    eight_bit = "published"
    activation_range: Tensor | None

    def __init__(self, in_channels: int, out_channels: int, kernel_size: int | tuple[int, int],
                 stride: int | tuple[int, int] = 1, padding: int | tuple[int, int] = 0):
        super().__init__(in_channels, out_channels, kernel_size, stride, padding, bias=False)
        self.register_buffer("activation_range", None)

    def forward(self, x: Tensor) -> Tensor:
        fixed = None if self.training or self.activation_range is None else self.activation_range.view(2, -1, 1, 1)
        x = mixed_activation(x, [self.activation_bits], eight_bit=self.eight_bit,
                             range_of=None if fixed is None else fixed.to(x.dtype))
        return self._conv_forward(x, mixed_weight(self.weight, [self.weight_bits], eight_bit=self.eight_bit), None)


class FoundNetwork(nn.Module):
    """Bits for convolutions, by name, from an architecture. ValueError names the first convolution whose bits are missing
    or that the network does not have."""

    architecture: Architecture

    def convolutions(self) -> dict[str, PrecisionConv2d | OuterConv2d]:
        """Those whose bits are chosen, by name."""
        raise NotImplementedError

    def _set_bits(self) -> None:
        bits = dict(self.architecture.bits)
        for name, conv in self.convolutions().items():
            if name not in bits:
                raise ValueError(f"bits.{name}: is missing; the network has this convolution")
            conv.activation_bits, conv.weight_bits = bits.pop(name)
            conv.eight_bit = self.architecture.network.eight_bit
        for name in bits:
            raise ValueError(f"bits.{name}: is unknown; the network has no such convolution")


class Cell(nn.Module):
    """Two operations into each node; its output is the concatenation of nodes."""

    def __init__(self, edges: list[tuple[str, int]], concat: list[int], inputs: tuple[int, int], channels: int,
                 reduction: bool, previous_reduction: bool):
        super().__init__()
        preprocess = FactorizedReduce if previous_reduction else ReluConvBn
        self.preprocess0 = preprocess(inputs[0], channels)
        self.preprocess1 = ReluConvBn(inputs[1], channels)
        self._ops = nn.ModuleList(
            make_operation(primitive, channels, 2 if reduction and predecessor < 2 else 1)
            for primitive, predecessor in edges)
        self._predecessors = [predecessor for _, predecessor in edges]
        self._concat = concat

    def forward(self, s0: Tensor, s1: Tensor, drop_path_probability: float) -> Tensor:
        states = [self.preprocess0(s0), self.preprocess1(s1)]
        outputs: list[Tensor] = []
        for operation, predecessor in zip(self._ops, self._predecessors):
            y = operation(states[predecessor])
            if self.training and drop_path_probability > 0 and not isinstance(operation, nn.Identity):
                keep = torch.rand(y.size(0), 1, 1, 1, device=y.device) >= drop_path_probability
                y = y / (1 - drop_path_probability) * keep
            outputs.append(y)
            if len(outputs) == 2:
                states.append(outputs[0] + outputs[1])
                outputs = []
        return torch.cat([states[state] for state in self._concat], dim=1)


class AuxiliaryHead(nn.Module):
    """The classifier that training attaches behind the second reduction: [n, channels, h, w] -> [n, classes]."""

    def __init__(self, shape: NetworkShape, in_channels: int):
        super().__init__()
        cifar = shape.images == "cifar"
        conv = OuterConv2d if cifar else PrecisionConv2d  # whose names differ, as published
        layers = [nn.ReLU(), nn.AvgPool2d(5, 3 if cifar else 2, count_include_pad=False), conv(in_channels, 128, 1),
                  nn.BatchNorm2d(128), nn.ReLU(), conv(128, 768, 2)]
        if cifar:
            layers.append(nn.BatchNorm2d(768))
        self.features = nn.Sequential(*layers, nn.ReLU())
        self.classifier = nn.Linear(768, shape.classes)

    def forward(self, x: Tensor) -> Tensor:
        return self.classifier(self.features(x).flatten(1))


class DerivedNetwork(FoundNetwork):
    """NetworkCIFAR and NetworkImageNet of QDARTS/model.py, with their names.

    [n, 3, side, side] -> logits [n, classes]; in training, with an auxiliary head, (logits, auxiliary logits).
    ``drop_path_probability`` acts in training: so often a sample goes without an operation.
    """

    def __init__(self, architecture: Architecture):
        super().__init__()
        self.architecture = architecture
        self.drop_path_probability = 0.0
        shape, genotype = architecture.network, architecture.genotype
        channels = shape.channels
        if shape.images == "cifar":
            self.stem = nn.Sequential(OuterConv2d(3, 3 * channels, 3, padding=1), nn.BatchNorm2d(3 * channels))
            inputs = (3 * channels, 3 * channels)
        else:
            self.stem0 = nn.Sequential(
                OuterConv2d(3, channels // 2, 3, 2, 1), nn.BatchNorm2d(channels // 2), nn.ReLU(),
                OuterConv2d(channels // 2, channels, 3, 2, 1), nn.BatchNorm2d(channels))
            self.stem1 = nn.Sequential(nn.ReLU(), OuterConv2d(channels, channels, 3, 2, 1), nn.BatchNorm2d(channels))
            inputs = (channels, channels)
        previous_reduction = shape.images == "imagenet"
        self.cells = nn.ModuleList()
        self._auxiliary_cell = 2 * shape.layers // 3
        for i in range(shape.layers):
            reduction = i in (shape.layers // 3, 2 * shape.layers // 3)
            kind = "reduce" if reduction else "normal"
            channels *= 2 if reduction else 1
            concat = getattr(genotype, kind + "_concat")
            self.cells.append(Cell(getattr(genotype, kind), concat, inputs, channels, reduction, previous_reduction))
            inputs = (inputs[1], len(concat) * channels)
            previous_reduction = reduction
            if shape.auxiliary and i == self._auxiliary_cell:
                auxiliary_channels = inputs[1]
        if shape.auxiliary:
            self.auxiliary_head = AuxiliaryHead(shape, auxiliary_channels)
        self.classifier = nn.Linear(inputs[1], shape.classes)
        self._set_bits()

    def convolutions(self) -> dict[str, PrecisionConv2d | OuterConv2d]:
        return {name: module for name, module in self.named_modules()
                if isinstance(module, (PrecisionConv2d, OuterConv2d))
                and (name.startswith("cells.") or self.architecture.network.quantize_stem)}

    def forward(self, images: Tensor) -> Tensor | tuple[Tensor, Tensor]:
        if self.architecture.network.images == "cifar":
            s0 = s1 = self.stem(images)
        else:
            s0 = self.stem0(images)
            s1 = self.stem1(s0)
        auxiliary = None
        for i, cell in enumerate(self.cells):
            s0, s1 = s1, cell(s0, s1, self.drop_path_probability)
            if self.training and self.architecture.network.auxiliary and i == self._auxiliary_cell:
                # The published head's ReLU works in place, so that what follows sees its result too.
                s1 = relu(s1)
                auxiliary = self.auxiliary_head(s1)
        logits = self.classifier(s1.mean((2, 3)))
        return logits if auxiliary is None else (logits, auxiliary)
