"""The C++ operators, and what shapes come out of them."""

import pathlib

import torch

_FIELDS = 6  # of a lattice
ACTIVATION, WEIGHT = 0, 1
EIGHT_BIT = {"published": 0, "published_search": 1, "symmetric": 2}

torch.ops.load_library(pathlib.Path(__file__).with_name("libnqdarts_ops.so"))

lattices = torch.ops.nqdarts.lattices
mixed_quantize = torch.ops.nqdarts.mixed_quantize


def has_range(bits) -> bool:
    """Whether lattices of some of these bits follow from the range of what is quantized."""
    return any(5 <= b <= 8 for b in bits)


def lattice_dim(role: int, eight_bit: str) -> int:
    """The dimension along which 8-bit lattices differ."""
    return 0 if role == WEIGHT and eight_bit == "symmetric" else 1


@torch.library.register_fake("nqdarts::lattices")
def _(x, bits, role, eight_bit):
    whole_tensor = role == ACTIVATION and eight_bit == EIGHT_BIT["symmetric"]
    dim = 0 if role == WEIGHT and eight_bit == EIGHT_BIT["symmetric"] else 1
    channels = x.size(dim) if has_range(bits) and not whole_tensor else 1
    return x.new_empty(len(bits), channels, _FIELDS)


@torch.library.register_fake("nqdarts::mixed_quantize")
def _(x, probs, lattices, lattice_dim):
    return torch.empty_like(x, memory_format=torch.contiguous_format)


@torch.library.register_fake("nqdarts::mixed_quantize_backward")
def _(grad, x, probs, lattices, lattice_dim, probs_need_grad):
    grad_probs = probs.new_empty(lattices.size(0)) if probs_need_grad else None
    return torch.empty_like(x, memory_format=torch.contiguous_format), grad_probs
