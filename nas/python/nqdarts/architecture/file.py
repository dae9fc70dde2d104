"""The architecture file, and that of a network whose structure is given."""

from __future__ import annotations

import dataclasses
import json
import os
from typing import Any

from nqdarts.quant.functional import BITS
from nqdarts.quant.operators import EIGHT_BIT

FORMAT, FIXED_FORMAT, VERSION = "nqdarts architecture", "nqdarts fixed network", 1
PRIMITIVES = ("none", "max_pool_3x3", "avg_pool_3x3", "skip_connect", "sep_conv_3x3", "sep_conv_5x5", "dil_conv_3x3",
              "dil_conv_5x5", "sep_conv_7x7", "conv_7x1_1x7")


@dataclasses.dataclass(frozen=True)
class NetworkShape:
    """What decides a network's size."""

    images: str  # "cifar" or "imagenet": which stem
    image_side: int  # pixels
    channels: int  # of a node in the first cell
    layers: int  # cells
    classes: int
    auxiliary: bool  # whether there is an auxiliary head to train with
    quantize_stem: bool  # whether stem and auxiliary head have bits, too
    eight_bit: str  # "published", "published_search" or "symmetric": the 8-bit quantizer


@dataclasses.dataclass(frozen=True)
class FixedShape:
    """Which of the networks whose structure is given, at which size."""

    name: str  # "resnet18", "edmips_resnet18", ...
    images: str
    image_side: int
    classes: int
    eight_bit: str


@dataclasses.dataclass(frozen=True)
class Genotype:
    """Of each kind of cell, edges as (primitive, predecessor), two into each node, and the states that come out."""

    normal: list[tuple[str, int]]
    normal_concat: list[int]
    reduce: list[tuple[str, int]]
    reduce_concat: list[int]


@dataclasses.dataclass(frozen=True)
class Architecture:
    """What ``search`` hands to training."""

    network: NetworkShape | FixedShape
    genotype: Genotype | None  # none of a network whose structure is given
    bits: dict[str, tuple[int, int]]  # of each convolution: of its activations and its weights
    search: dict[str, Any]  # how the search was configured


def read(path: str | os.PathLike[str]) -> Architecture:
    """Reads an architecture file. ValueError names the path and the field, OSError the path."""
    with open(path, encoding="utf-8") as file:
        text = file.read()
    try:
        return parse(text)
    except ValueError as error:
        raise ValueError(f"{os.fspath(path)}: {error}") from None


def parse(text: str) -> Architecture:
    """The architecture in a file's text. ValueError names the field and what was expected."""
    try:
        root = json.loads(text)
    except json.JSONDecodeError as error:
        raise ValueError(f"malformed JSON at byte {error.pos}") from None
    if not isinstance(root, dict):
        raise ValueError("expected a JSON object")
    if root.get("format") not in (FORMAT, FIXED_FORMAT):
        raise ValueError(f'format: expected "{FORMAT}" or "{FIXED_FORMAT}"')
    fixed = root["format"] == FIXED_FORMAT
    version = root.get("version")
    if not _is_integer(version) or not 1 <= version <= VERSION:
        shown = "missing" if version is None else json.dumps(version)
        raise ValueError(f"version: is {shown}; this build reads version {VERSION}")
    _only_known(root, "", ("format", "version", "build_id", "network", *([] if fixed else ["genotype"]), "bits", "search",
                           "cost"))
    network = _network(_field(root, "", "network", dict), FixedShape if fixed else NetworkShape)
    genotype = None if fixed else _genotype(_field(root, "", "genotype", dict))
    bits = {name: _bits(name, pair) for name, pair in _field(root, "", "bits", dict).items()}
    return Architecture(network, genotype, bits, _field(root, "", "search", dict))


def _is_integer(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


_EXPECTED = {dict: "an object", str: "a string", int: "an integer", bool: "true or false", list: "an array"}


def _only_known(fields: dict, prefix: str, known: tuple[str, ...]) -> None:
    for name in fields:
        if name not in known:
            raise ValueError(f"{prefix}{name}: unknown field; expected one of {', '.join(known)}")


def _field(fields: dict, prefix: str, name: str, kind: type) -> Any:
    if name not in fields:
        raise ValueError(f"{prefix}{name}: is missing; expected {_EXPECTED[kind]}")
    value = fields[name]
    if not (_is_integer(value) if kind is int else isinstance(value, kind)):
        raise ValueError(f"{prefix}{name}: is {json.dumps(value)}; expected {_EXPECTED[kind]}")
    return value


_TYPES = {"str": str, "int": int, "bool": bool}


def _network(fields: dict, shape_class: type) -> NetworkShape | FixedShape:
    kinds = {field.name: _TYPES[field.type] for field in dataclasses.fields(shape_class)}
    _only_known(fields, "network.", tuple(kinds))
    shape = shape_class(**{name: _field(fields, "network.", name, kind) for name, kind in kinds.items()})
    for name, known in (("images", ("cifar", "imagenet")), ("eight_bit", tuple(EIGHT_BIT))):
        if getattr(shape, name) not in known:
            raise ValueError(f"network.{name}: is {getattr(shape, name)!r}; expected one of {', '.join(known)}")
    for name, last in (("channels", 1 << 16), ("layers", 1000), ("classes", 1 << 20), ("image_side", 1 << 16)):
        if not 1 <= getattr(shape, name, 1) <= last:
            raise ValueError(f"network.{name}: is {getattr(shape, name)}; expected 1..{last}")
    if isinstance(shape, NetworkShape) and shape.images == "imagenet" and shape.channels % 2:
        raise ValueError(f"network.channels: is {shape.channels}; expected an even number for imagenet")
    return shape


def _genotype(fields: dict) -> Genotype:
    _only_known(fields, "genotype.", ("normal", "normal_concat", "reduce", "reduce_concat"))
    cells = {}
    for name in ("normal", "reduce"):
        edges = _field(fields, "genotype.", name, list)
        if not edges or len(edges) % 2:
            raise ValueError(f"genotype.{name}: has {len(edges)} edges; expected two into each node")
        cells[name] = [_edge(f"genotype.{name}[{i}]", edge, 2 + i // 2) for i, edge in enumerate(edges)]
        concat = _field(fields, "genotype.", name + "_concat", list)
        last = 2 + len(edges) // 2
        if not concat or len(set(map(str, concat))) != len(concat) or not all(
                _is_integer(state) and 2 <= state < last for state in concat):
            raise ValueError(f"genotype.{name}_concat: is {json.dumps(concat)}; expected distinct nodes of "
                             f"2..{last - 1}")
        cells[name + "_concat"] = concat
    return Genotype(**cells)


def _edge(name: str, edge: Any, states: int) -> tuple[str, int]:
    if not isinstance(edge, list) or len(edge) != 2 or edge[0] not in PRIMITIVES or not _is_integer(edge[1]):
        raise ValueError(f'{name}: is {json.dumps(edge)}; expected ["primitive", predecessor], primitives are '
                         + ", ".join(PRIMITIVES))
    if not 0 <= edge[1] < states:
        raise ValueError(f"{name}: predecessor {edge[1]}; expected an earlier state, 0..{states - 1}")
    return edge[0], edge[1]


def _bits(name: str, pair: Any) -> tuple[int, int]:
    if not isinstance(pair, list) or len(pair) != 2 or not all(map(_is_integer, pair)):
        raise ValueError(f"bits.{name}: is {json.dumps(pair)}; expected [activation bits, weight bits]")
    for bits in pair:
        if bits not in BITS:
            raise ValueError(f"bits.{name}: has {bits} bits; expected 1 to 8 or 32")
    return pair[0], pair[1]
