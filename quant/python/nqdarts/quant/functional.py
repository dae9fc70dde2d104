"""Quantizers as functions."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from nqdarts.quant import operators

BITS = (*range(1, 9), 32)


def check_bits(name: str, bits: int) -> int:
    if bits not in BITS:
        raise ValueError(f"{name}: is {bits!r}; expected one of {', '.join(map(str, BITS))}")
    return int(bits)


def check_eight_bit(eight_bit: str) -> str:
    if eight_bit not in operators.EIGHT_BIT:
        raise ValueError(f"eight_bit: is {eight_bit!r}; expected one of {', '.join(map(repr, operators.EIGHT_BIT))}")
    return eight_bit


def _mix(x: Tensor, bits: Sequence[int], probs: Tensor | None, role: int, eight_bit: str, range_of: Tensor) -> Tensor:
    bits = [check_bits("bits", b) for b in bits]
    check_eight_bit(eight_bit)
    if not bits:
        raise ValueError("bits: is empty; expected at least one")
    if bits == [32]:
        return x
    if operators.has_range(bits) and x.dim() < 2:
        raise ValueError(f"x: has shape {list(x.shape)}; expected [n, channels, ...] for 5 to 8 bits")
    if len(bits) == 1:
        probs = torch.ones(1, dtype=x.dtype, device=x.device)
    elif probs is None or probs.shape != (len(bits),):
        shape = None if probs is None else list(probs.shape)
        raise ValueError(f"probs: has shape {shape}; expected [{len(bits)}]")
    lattices = operators.lattices(range_of.detach(), bits, role, operators.EIGHT_BIT[eight_bit])
    return operators.mixed_quantize(x, probs, lattices, operators.lattice_dim(role, eight_bit))


def mixed_activation(x: Tensor, bits: Sequence[int], probs: Tensor | None = None, eight_bit: str = "published",
                     range_of: Tensor | None = None) -> Tensor:
    """The sum of ``probs[i]`` times ``x`` quantized to ``bits[i]`` bits: HWGQ for 1 to 4 bits.

    Arguments:
        x: [n, channels, ...] if 5 to 8 bits are among ``bits``, else of any shape.
        bits: the candidates, from 1 to 8 and 32.
        probs: [len(bits)], of x's type; not needed for one candidate.
        eight_bit: ``"published"``, ``"published_search"`` or ``"symmetric"``: which quantizer of 5 to 8 bits.
        range_of: whose ranges those of 5 to 8 bits are, [m, channels, ...]; None: x's own.

    Gradients go to x (1 inside of HWGQ's clamp, 0 outside; 1 for 5 to 8 bits) and probs. The result is contiguous.
    """
    return _mix(x, bits, probs, operators.ACTIVATION, eight_bit, x if range_of is None else range_of)


def mixed_weight(weight: Tensor, bits: Sequence[int], probs: Tensor | None = None,
                 eight_bit: str = "published") -> Tensor:
    """The sum of ``probs[i]`` times ``weight`` quantized to ``bits[i]`` bits: Gaussian for 1 to 4 bits.

    ``weight`` is [out, in / groups, ...]; the rest as of ``mixed_activation``. Its gradient is 1 everywhere; the
    standard deviation is a constant for it.
    """
    return _mix(weight, bits, probs, operators.WEIGHT, eight_bit, weight)
