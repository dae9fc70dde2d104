"""Quantizers with straight-through gradients and their mixtures, each as one fused operator.

::

    from nqdarts.quant import PrecisionConv2d
    conv = PrecisionConv2d(8, 16, 3, padding=1, activation_bits=2, weight_bits=4)
    y = conv(x)  # [n, 8, h, w] -> [n, 16, h, w]

While a search runs, a MixedPrecisionConv2d has several candidates for both, and their probabilities learn. Bits are
from 1 to 8 and 32, which is the identity. Tensors are float32 or float64, on the CPU, or on a GPU if built with
``--config=cuda``; ``torch.compile`` and ``torch.export`` see through the operators. ``import nqdarts.quant`` loads them into the torch of this process, which has to be
the one that they were made for.
"""

from nqdarts.quant import operators  # registers them
from nqdarts.quant.convolution import MixedPrecisionConv2d, PrecisionConv2d
from nqdarts.quant.functional import mixed_activation, mixed_weight
from nqdarts.quant.quantizers import (
    ActivationQuantizer,
    MixedActivationQuantizer,
    MixedWeightQuantizer,
    WeightQuantizer,
)

__all__ = [
    "ActivationQuantizer",
    "MixedActivationQuantizer",
    "MixedPrecisionConv2d",
    "MixedWeightQuantizer",
    "PrecisionConv2d",
    "WeightQuantizer",
    "mixed_activation",
    "mixed_weight",
]
