"""Networks whose structure is given, EdMIPS's and torchvision's, from their graphs as data."""

from __future__ import annotations

import functools
import importlib.resources
import json
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from nqdarts.architecture.file import Architecture
from nqdarts.architecture.network import FoundNetwork, OuterConv2d
from nqdarts.quant import PrecisionConv2d

_RECTIFYING_BITS = 4  # up to which a quantizer cuts off negative values by itself


@functools.cache
def _graphs() -> dict[str, Any]:
    return json.loads(importlib.resources.files(__package__).joinpath("networks.json").read_text("utf-8"))


def _make_module(node: dict[str, Any], channels: int, torchvision: bool) -> nn.Module | None:
    """That of a node which has one; ``channels`` go in."""
    if node["kind"] == "conv":
        named_conv = node["quantized"] and not torchvision
        return (PrecisionConv2d if named_conv else OuterConv2d)(
            channels, node["channels"], tuple(node["kernel"]), tuple(node["stride"]), tuple(node["padding"]))
    if node["kind"] == "batch_norm":
        return nn.BatchNorm2d(channels, eps=node["eps"])
    return nn.Linear(channels, node["channels"]) if node["kind"] == "linear" else None


class FixedNetwork(FoundNetwork):
    """[n, 3, side, side] -> logits [n, classes]. Its parameters have the names that EdMIPS's derived networks have, or
    torchvision's. Without auxiliary heads.
    """

    def __init__(self, architecture: Architecture):
        super().__init__()
        self.architecture = architecture
        name = architecture.network.name
        if name not in _graphs():
            raise ValueError(f"network.name: is {name!r}; expected one of {', '.join(_graphs())}")
        graph = _graphs()[name]
        self._nodes = [dict(node) for node in graph["nodes"]]
        self._output = graph["outputs"][0]
        self._nodes[self._output]["channels"] = architecture.network.classes
        for node in self._nodes[1:]:
            module = _make_module(node, self._nodes[node["inputs"][0]]["channels"], graph["torchvision"])
            if module is not None:
                self._register(node["path"], module)
        self._last_use = {input: i for i, node in enumerate(self._nodes) for input in node["inputs"]}
        self._set_bits()

    def convolutions(self) -> dict[str, PrecisionConv2d | OuterConv2d]:
        return {node["path"]: self.get_submodule(node["path"]) for node in self._nodes
                if node["kind"] == "conv" and node["quantized"]}

    def forward(self, images: Tensor) -> Tensor:
        values: dict[int, Tensor] = {0: images}
        for i, node in enumerate(self._nodes[1:], 1):
            values[i] = self._compute(node, [values[input] for input in node["inputs"]])
            for used in set(node["inputs"]):
                if self._last_use[used] == i:
                    del values[used]
        return values[self._output]

    def _register(self, path: str, module: nn.Module) -> None:
        *parents, name = path.split(".")
        parent: nn.Module = self
        for child in parents:
            if not hasattr(parent, child):
                parent.add_module(child, nn.Module())
            parent = getattr(parent, child)
        parent.add_module(name, module)

    def _compute(self, node: dict[str, Any], inputs: list[Tensor]) -> Tensor:
        kind, x = node["kind"], inputs[0]
        if kind == "conv":
            conv = self.get_submodule(node["path"])
            rectified = node["rectifies"] and conv.activation_bits > _RECTIFYING_BITS
            return conv(functional.relu(x) if rectified else x)
        if kind == "batch_norm":
            return self.get_submodule(node["path"])(x)
        if kind == "relu":
            return functional.relu(x)
        if kind == "max_pool":
            return functional.max_pool2d(x, node["kernel"], node["stride"], node["padding"], ceil_mode=node["ceil_mode"])
        if kind == "average_pool":
            return functional.avg_pool2d(x, node["kernel"], node["stride"], node["padding"], node["ceil_mode"],
                                         node["count_include_pad"])
        if kind == "adaptive_average":
            return functional.adaptive_avg_pool2d(x, node["side"])
        if kind == "concat":
            return torch.cat(inputs, dim=1)
        if kind == "add":
            return x + inputs[1]
        if kind == "linear":
            return self.get_submodule(node["path"])(x.flatten(1))
        raise ValueError(f"networks.json: has a node of kind {kind!r}")
