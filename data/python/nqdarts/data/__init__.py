"""A loader for images: whatever people have on their disks as batches, faster than with anything else.

::

    from nqdarts.data import Loader
    loader = Loader("/data/imagenet/train", batch_size=256, transform="imagenet_train")
    for images, labels in loader:  # float32 [256, 3, 224, 224], int64 [256]
        ...

``python -m nqdarts.data inspect /data/imagenet/train`` says what is in a data set, ``... pack`` packs it.
"""

from nqdarts.data.errors import DamagedSampleError
from nqdarts.data.loader import BadSample, Field, Loader
from nqdarts.data.packing import PackReport, Summary, inspect, pack
from nqdarts.data.transform import Transform, named

__all__ = [
    "BadSample",
    "DamagedSampleError",
    "Field",
    "Loader",
    "PackReport",
    "Summary",
    "Transform",
    "inspect",
    "named",
    "pack",
]
