"""What happens to an image between its file and its place in a batch."""

from __future__ import annotations

import dataclasses

from nqdarts.data import _native, arguments

_IMAGENET = {"mean": (0.485, 0.456, 0.406), "std": (0.229, 0.224, 0.225)}
_CIFAR = {"mean": (0.49139968, 0.48215827, 0.44653124), "std": (0.24703233, 0.24348505, 0.26158768)}


@dataclasses.dataclass(frozen=True)
class Transform:
    """Crop, resize, flip, change colours, erase and normalize.

    ``crop`` is one of

    - ``"resized"``: a random rectangle, resized to ``size`` x ``size`` pixels, as torchvision's RandomResizedCrop
      draws it, of ``area`` (least, greatest) of the image's and ``ratio`` (least, greatest) of width to height;
    - ``"center"``: the centre square, whose side is ``center`` of the image's shorter side, resized to ``size``;
    - ``"shift"``: a window of ``size`` x ``size`` pixels of the image with ``padding`` black pixels around it, at a
      random place; nothing is resized.

    Then ``flip`` mirrors left and right with probability 1/2; ``color_jitter`` changes brightness, contrast and
    saturation by factors of up to 1 + and 1 - the first three numbers, and the hue by up to so many turns;
    ``policy`` is ``"trivial"`` for TrivialAugment (wide), ``"rand"`` for RandAugment of ``rand_ops`` changes of
    ``rand_magnitude`` thirtieths, or ``"none"``: all as torchvision has them; ``cutout`` blanks a square of so many pixels around a
    random one (0: none); and of float32 images each channel's value v of 0 to 255 becomes ``(v / 255 - mean) / std``.

    The seed, the epoch and the sample alone decide what is drawn.
    """

    crop: str
    size: int
    padding: int = 0
    flip: bool = False
    cutout: int = 0
    area: tuple[float, float] = (0.08, 1.0)
    ratio: tuple[float, float] = (3 / 4, 4 / 3)
    center: float = 224 / 256
    color_jitter: tuple[float, float, float, float] = (0.0, 0.0, 0.0, 0.0)
    policy: str = "none"
    rand_ops: int = 2
    rand_magnitude: int = 9
    mean: tuple[float, float, float] = (0.0, 0.0, 0.0)
    std: tuple[float, float, float] = (1.0, 1.0, 1.0)

    def replace(self, **changes) -> Transform:
        """The same with some fields changed: ``named["imagenet_train"].replace(size=160)``."""
        return dataclasses.replace(self, **changes)


named: dict[str, Transform] = {
    "imagenet_train": Transform("resized", 224, flip=True, **_IMAGENET),
    "imagenet_eval": Transform("center", 224, **_IMAGENET),
    "cifar_train": Transform("shift", 32, padding=4, flip=True, **_CIFAR),
    "cifar_eval": Transform("shift", 32, **_CIFAR),
}
"""The usual ones, by the names that ``Loader(transform=...)`` takes."""


def resolve(transform: str | Transform) -> Transform:
    if isinstance(transform, Transform):
        return transform
    if not isinstance(transform, str) or transform not in named:
        raise arguments.wrong("transform", transform, "a Transform or one of " + ", ".join(map(repr, named)))
    return named[transform]


def augmentation(transform: Transform) -> _native.Augmentation:
    """What C++ knows it as. ValueError naming the field."""
    crop = arguments.choice("transform.crop", transform.crop, ("resized", "center", "shift"))
    result = _native.Augmentation()
    result.crop = getattr(_native.Crop, crop)
    result.size = arguments.integer("transform.size", transform.size, 1, 4096)
    result.padding = arguments.integer("transform.padding", transform.padding, 0, 4096)
    result.flip = arguments.boolean("transform.flip", transform.flip)
    result.cutout = arguments.integer("transform.cutout", transform.cutout, 0)
    result.min_area, result.max_area = arguments.numbers("transform.area", transform.area, 2)
    result.min_ratio, result.max_ratio = arguments.numbers("transform.ratio", transform.ratio, 2)
    result.center = arguments.number("transform.center", transform.center)
    policy = _native.PixelPolicy()
    policy.brightness, policy.contrast, policy.saturation, policy.hue = arguments.numbers(
        "transform.color_jitter", transform.color_jitter, 4, 0)
    kind = arguments.choice("transform.policy", transform.policy, ("none", "trivial", "rand"))
    policy.kind = getattr(_native.Policy, kind)
    policy.ops = arguments.integer("transform.rand_ops", transform.rand_ops, 1, 16)
    policy.magnitude = arguments.integer("transform.rand_magnitude", transform.rand_magnitude, 0, 30)
    result.policy = policy
    normalization = _native.Normalization()
    normalization.mean = arguments.numbers("transform.mean", transform.mean, 3)
    normalization.std = arguments.numbers("transform.std", transform.std, 3)
    result.normalization = normalization
    result.check()
    return result
