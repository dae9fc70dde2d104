"""Packing, and looking at what is in a data set."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Sequence
from os import PathLike
from typing import NamedTuple

from nqdarts.data import _native, arguments
from nqdarts.data.loader import BadSample, Field, fields_of


class PackReport(NamedTuple):
    """What ``pack`` wrote."""

    samples: int
    shards: int
    kept_shards: int  # complete from an earlier run
    bytes: int
    rejected: list[str]  # the images left out, and why
    empty_classes: list[str]  # classes without an image


class Summary(NamedTuple):
    """What is in a data set."""

    classes: dict[str, int]  # images of each class, good or bad
    bytes: int  # of the encoded images
    encodings: dict[str, int]  # good images by encoding
    sides: list[tuple[int, int, int]]  # (least, greatest, images): good images by their longer side, pixels
    fields: list[Field]  # what samples have besides image and label
    left_alone: list[str]  # what stands beside the images, a line for each reason
    bad: list[BadSample]


def pack(
    input: str | PathLike[str],
    output: str | PathLike[str],
    *,
    kind: str = "auto",
    allow_empty_classes: bool = False,
    max_side: int = 0,
    quality: int = 90,
    raw_fraction: float = 0.0,
    apply_exif_orientation: bool = False,
    keep_jpeg: bool = False,
    fields: str | Sequence[str] = "all",
    shuffle: bool = True,
    samples_per_shard: int = 8192,
    threads: int | None = None,
    on_bad_sample: str = "fail",
    progress: bool | Callable[[int, int], object] = False,
) -> PackReport:
    """Packs images into a folder of shards, which are faster to read.

    Stopped (by Ctrl-C, say) and called again, it keeps the shards that are complete, if the input still is what they
    were made from. The bytes do not depend on the number of threads.

    Arguments:
        input: whatever ``Loader`` reads.
        output: the folder for the shards.
        kind, allow_empty_classes: as of ``Loader``.
        max_side: shrink images whose longer side has more pixels; 0: none.
        quality: JPEG quality, 1 to 100, of those that are shrunk or turned.
        raw_fraction: share of the images that are kept as raw pixels, 0 to 1.
        apply_exif_orientation: turn images upright as their EXIF data say.
        keep_jpeg: keep JPEGs byte for byte: no restart markers, so slower crops.
        fields: what samples have besides image and label that the shards keep: ``"all"``, or names.
        shuffle: mix the images over the shards; False: the input's order.
        samples_per_shard: images in a shard.
        threads: that transcode; None: as many as there are processors.
        on_bad_sample: ``"fail"``: raise DamagedSampleError; ``"skip"``: leave damaged images out and list them.
        progress: True: a line on stderr; or a function that is called with (images done, all of them). What it raises
            ends the packing.

    Raises ValueError for an argument or an input that makes no sense, or an output of another input; OSError for a
    file that cannot be read or written.
    """
    options = _native.PackOptions()
    options.max_side = arguments.integer("max_side", max_side, 0, 65536)
    options.quality = arguments.integer("quality", quality, 1, 100)
    options.raw_fraction = arguments.number("raw_fraction", raw_fraction, 0, 1)
    options.apply_orientation = arguments.boolean("apply_exif_orientation", apply_exif_orientation)
    options.keep_jpeg = arguments.boolean("keep_jpeg", keep_jpeg)
    options.shuffle = arguments.boolean("shuffle", shuffle)
    options.samples_per_shard = arguments.integer("samples_per_shard", samples_per_shard, 1)
    options.workers = arguments.threads(threads)
    options.skip_bad_samples = arguments.choice("on_bad_sample", on_bad_sample, arguments.ON_BAD_SAMPLE) == "skip"
    if progress is True:
        progress = _ProgressLine()
    elif progress is not False and not callable(progress):
        raise arguments.wrong("progress", progress, "True, False or a function")
    output = arguments.path("output", output)
    dataset = _open("input", input, kind, allow_empty_classes, fields)
    report = _native.pack(dataset, output, options, progress or None)
    return PackReport(report.samples, report.shards, report.kept_shards, report.bytes,
                      [reason for _, reason in report.rejected], report.empty_classes)


def inspect(
    input: str | PathLike[str],
    *,
    kind: str = "auto",
    allow_empty_classes: bool = False,
    verify: bool = False,
    threads: int | None = None,
) -> Summary:
    """Reads every image and its header and says what is there; ``verify``: decodes every image whole, too.

    Damaged images are listed, not raised; other errors are as of ``Loader``.
    """
    arguments.boolean("verify", verify)
    workers = arguments.threads(threads)
    dataset = _open("input", input, kind, allow_empty_classes, "all")
    summary = _native.summarize(dataset, verify, workers)
    return Summary(
        classes=dict(zip(dataset.classes, summary.class_counts)),
        bytes=summary.bytes,
        encodings=dict(zip(("JPEG", "raw", "PNG"), summary.encoding_counts)),
        sides=[(1 << i, (2 << i) - 1, count) for i, count in enumerate(summary.side_counts) if count],
        fields=fields_of(dataset),
        left_alone=dataset.left_alone,
        bad=[BadSample(bad.id, bad.name, bad.reason) for bad in summary.bad],
    )


def _open(name: str, path: str | PathLike[str], kind: str, allow_empty_classes: bool,
          fields: str | Sequence[str]) -> _native.Dataset:
    arguments.choice("kind", kind, arguments.KINDS)
    arguments.boolean("allow_empty_classes", allow_empty_classes)
    return _native.open(arguments.path(name, path), kind, allow_empty_classes, arguments.fields(fields))


class _ProgressLine:
    """One line on stderr, rewritten in place."""

    def __init__(self) -> None:
        self._start = time.monotonic()
        self._finished = False

    def __call__(self, done: int, total: int) -> None:
        if self._finished:
            return
        self._finished = done == total
        rate = done / max(time.monotonic() - self._start, 1e-9)
        left = f"{(total - done) / rate:.0f} s left" if done else "…"
        print(f"\r{done} of {total} samples, {rate:.0f}/s, {left} ", end="\n" if self._finished else "",
              file=sys.stderr, flush=True)
