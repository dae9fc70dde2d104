"""Files of weights: ours, and those of the published Python code."""

from __future__ import annotations

import json
import os
import zipfile
from typing import Any

import torch
from torch import Tensor

from nqdarts.architecture.file import Architecture, FixedShape, read
from nqdarts.architecture.fixed_network import FixedNetwork
from nqdarts.architecture.network import DerivedNetwork, FoundNetwork, OuterConv2d
from nqdarts.quant import operators

_SHOWN = 5  # names in an error
_EXTRA = (".size_product", ".memory_size")  # buffers of the published networks that each forward sets anew
_AUXILIARY_HEADS = ("auxiliary_head", "aux1", "aux2", "AuxLogits")
_RANGE = ".activation_range"
_COUNTER = ".num_batches_tracked"


def load(architecture: str | os.PathLike[str] | Architecture,
         weights: str | os.PathLike[str] | None = None) -> DerivedNetwork | FixedNetwork:
    """The network of an architecture (or its file, or that of a network whose structure is given), with a file's weights or
    new ones."""
    if not isinstance(architecture, Architecture):
        architecture = read(architecture)
    network = (FixedNetwork if isinstance(architecture.network, FixedShape) else DerivedNetwork)(architecture)
    if weights is not None:
        load_weights(network, weights)
    return network


def load_weights(network: FoundNetwork, path: str | os.PathLike[str]) -> None:
    """Copies a file's tensors into ``network``: one that ``train`` wrote, with its fixed ranges of 8-bit activations,
    or one of the published QDARTS, PC-DARTS, FBQAT or EdMIPS, or of torchvision, also with DataParallel's "module."
    before its names. It may have auxiliary heads that the network lacks, and lack batch counters. Runs no code of the file.

    ValueError names the file and lists the tensors that are missing, unexpected or of another shape; then nothing has
    changed.
    """
    file = _tensors(torch.load(path, map_location="cpu", weights_only=True), path)
    lacking = tuple(head + "." for head in _AUXILIARY_HEADS if not hasattr(network, head))
    file = {name: tensor for name, tensor in file.items() if not name.startswith(lacking)}
    ranges = {name: file.pop(name) for name in list(file) if name.endswith(_RANGE)}
    state = {name: tensor for name, tensor in network.state_dict().items() if not name.endswith(_RANGE)}
    names = max(_styles(network, state), key=lambda style: sum(published in file for published in style.values()))
    missing, misshaped = [], []
    for name, published in names.items():
        if published not in file:
            if not name.endswith(_COUNTER):
                missing.append(published)
        elif file[published].shape != state[name].shape:
            misshaped.append(f"{published} {list(file[published].shape)} instead of {list(state[name].shape)}")
    unexpected = sorted(set(file) - set(names.values()))
    problems = [f"{len(found)} {what} ({', '.join(found[:_SHOWN])}{', ...' if len(found) > _SHOWN else ''})"
                for found, what in ((missing, "tensors are missing"), (unexpected, "are unexpected"),
                                    (misshaped, "have another shape")) if found]
    if problems:
        raise ValueError(f"{os.fspath(path)}: {'; '.join(problems)}")
    wanted = {name for name, conv in network.convolutions().items() if operators.has_range([conv.activation_bits])}
    ranges = {name.removesuffix(_RANGE): tensor for name, tensor in ranges.items()}
    if ranges:
        _check_ranges(network, wanted, ranges, path)
    with torch.no_grad():
        for name, published in names.items():
            if published in file:
                state[name].copy_(file[published])
    for name in wanted & set(ranges):
        conv = network.get_submodule(name)
        weight = next(conv.parameters())
        conv.activation_range = ranges[name].to(weight.device, weight.dtype)


def read_classes(path: str | os.PathLike[str]) -> list[str]:
    """Names of the classes in the order of their labels, which ``train`` keeps with the weights; empty if unknown."""
    if not zipfile.is_zipfile(path):
        return []
    with zipfile.ZipFile(path) as archive:
        for name in archive.namelist():
            if name.split("/")[-1] == "classes.json":
                return json.loads(archive.read(name))
    return []


def _tensors(content: Any, path: str | os.PathLike[str]) -> dict[str, Tensor]:
    if isinstance(content, dict) and isinstance(content.get("state_dict"), dict):
        content = content["state_dict"]
    if not isinstance(content, dict) or not all(isinstance(tensor, Tensor) for tensor in content.values()):
        raise ValueError(f"{os.fspath(path)}: expected a dict of tensors, or one under \"state_dict\"")
    return {name.removeprefix("module."): tensor for name, tensor in content.items()
            if not name.endswith(_EXTRA)}


def _check_ranges(network: FoundNetwork, wanted: set[str], ranges: dict[str, Tensor],
                  path: str | os.PathLike[str]) -> None:
    for name in sorted(wanted):
        if name not in ranges:
            raise ValueError(f"{os.fspath(path)}: {name}{_RANGE} is missing")
        conv = network.get_submodule(name)
        channels = (conv if isinstance(conv, OuterConv2d) else conv.conv).in_channels
        found = ranges[name]
        if found.shape != (2, channels):
            raise ValueError(f"{os.fspath(path)}: {name}{_RANGE} has shape {list(found.shape)}, "
                             f"expected [2, {channels}]")
        if not (found.isfinite().all() and (found[0] <= found[1]).all()):
            raise ValueError(f"{os.fspath(path)}: {name}{_RANGE} is no range: expected numbers, the lower ones in the "
                             "first row")


def _styles(network: FoundNetwork, state: dict[str, Tensor]) -> list[dict[str, str]]:
    """The names that published networks have for ours: QDARTS's, which ours are, PC-DARTS's, and FBQAT's."""
    numbered = {}
    children = {f"{prefix}.{child}": f"{prefix}.{number}" for prefix, module in network.named_modules()
                for child, number in getattr(module, "numbered", {}).items()}
    outer = {name + ".weight" for name, module in network.named_modules() if isinstance(module, OuterConv2d)}
    for name in state:
        parts = name.split(".")
        # cells.0._ops.3.conv1.conv.weight: the child of an operation is at 4; of a preprocessing, at 3.
        for count in (4, 5):
            child = ".".join(parts[:count])
            if child in children:
                numbered[name] = ".".join([children[child], *parts[count:]])
        numbered.setdefault(name, name)
    pc_darts = {name: other.removesuffix(".conv.weight") + ".weight" if other.endswith(".conv.weight") else other
                for name, other in numbered.items()}
    fbqat = {name: name.removesuffix("weight") + "conv.weight" if name in outer else other
             for name, other in numbered.items()}
    return [{name: name for name in state}, pc_darts, fbqat]
