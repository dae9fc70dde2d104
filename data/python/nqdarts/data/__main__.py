"""python -m nqdarts.data inspect DATA; python -m nqdarts.data pack INPUT OUTPUT."""

import argparse
import sys

from nqdarts.data import arguments
from nqdarts.data.packing import inspect, pack


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m nqdarts.data", description="Looks at data sets and packs them.")
    commands = parser.add_subparsers(dest="command", required=True)
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("input", help="a folder of images, tar archives, CIFAR's batches, MNIST's files, a .beton file "
                                      "or shards")
    common.add_argument("--kind", default="auto", choices=arguments.KINDS)
    common.add_argument("--allow_empty_classes", action="store_true",
                        help="accept folders and labels without an image as classes")
    common.add_argument("--threads", type=int, help="default: as many as there are processors")
    look = commands.add_parser("inspect", parents=[common], help="say what is in a data set, and check it")
    look.add_argument("--verify", action="store_true", help="decode every image too, not just its header")
    make = commands.add_parser("pack", parents=[common], help="pack images into shards")
    make.add_argument("output", help="folder for the shards; one with part of them is completed")
    make.add_argument("--max_side", type=int, default=0, help="shrink images whose longer side exceeds this; 0: none")
    make.add_argument("--quality", type=int, default=90, help="of images that are shrunk or turned")
    make.add_argument("--raw_fraction", type=float, default=0.0, help="share of the images kept as raw pixels")
    make.add_argument("--apply_exif_orientation", action="store_true", help="turn images upright")
    make.add_argument("--keep_jpeg", action="store_true", help="keep JPEGs byte for byte")
    make.add_argument("--fields", default="all", help="what samples have besides image and label that is kept: all, "
                                                      "or names with commas between them; '' for none")
    make.add_argument("--no_shuffle", action="store_true", help="keep the input's order")
    make.add_argument("--samples_per_shard", type=int, default=8192)
    make.add_argument("--on_bad_sample", default="fail", choices=arguments.ON_BAD_SAMPLE)
    return parser


def _inspect(options: argparse.Namespace) -> int:
    summary = inspect(options.input, kind=options.kind, allow_empty_classes=options.allow_empty_classes,
                      verify=options.verify, threads=options.threads)
    samples = sum(summary.classes.values())
    print(f"{options.input}: {samples} samples of {len(summary.classes)} classes, {summary.bytes / 1e6:.1f} MB")
    counts = ", ".join(f"{count} {encoding}" for encoding, count in summary.encodings.items())
    print(f"{counts}, {len(summary.bad)} bad")
    print("samples  class")
    for name, count in summary.classes.items():
        print(f"{count:7}  {name}")
    print("samples  longer side in pixels")
    for least, greatest, count in summary.sides:
        print(f"{count:7}  {least} to {greatest}")
    for field in summary.fields:
        print(f"field {field.name}: {field.type}", *field.shape)
    for line in summary.left_alone:
        print(line)
    for bad in summary.bad:
        print(f"bad: sample {bad.id}, {bad.name}: {bad.reason}")
    return 1 if summary.bad else 0


def _pack(options: argparse.Namespace) -> int:
    names = ("kind", "allow_empty_classes", "threads", "max_side", "quality", "raw_fraction", "apply_exif_orientation",
             "keep_jpeg", "samples_per_shard", "on_bad_sample")
    fields = options.fields if options.fields == "all" else [name for name in options.fields.split(",") if name]
    report = pack(options.input, options.output, fields=fields, shuffle=not options.no_shuffle,
                  progress=sys.stderr.isatty(), **{name: getattr(options, name) for name in names})
    print(f"{options.output}: {report.samples} samples in {report.shards} shards ({report.kept_shards} kept), "
          f"{report.bytes / 1e6:.1f} MB; {len(report.rejected)} rejected")
    for reason in report.rejected:
        print(f"rejected: {reason}")
    return 0


def main() -> int:
    options = _parser().parse_args()
    try:
        return {"inspect": _inspect, "pack": _pack}[options.command](options)
    except (ValueError, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main())
