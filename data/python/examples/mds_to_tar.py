"""MosaicML Streaming's shards (MDS) as a tar archive, which the loader and `pack` read: the images' bytes as they are,
and the bytes of all columns besides image and label as fields.

  python mds_to_tar.py mds/train train.tar             # of columns that Streaming calls "jpeg" or "png", and "int"
  python mds_to_tar.py mds/train train.tar image label
  python -m nqdarts.data pack train.tar shards/train
"""

import io
import json
import os
import struct
import sys
import tarfile

IMAGES = {"jpeg": "jpg", "png": "png", "bytes": "jpg"}
INTEGERS = {"int": "<q", "int64": "<q", "int32": "<i", "int16": "<h", "int8": "<b",
            "uint64": "<Q", "uint32": "<I", "uint16": "<H", "uint8": "<B"}


def samples(folder):
    """Each sample's columns, as {name: (encoding, bytes)}."""
    with open(os.path.join(folder, "index.json"), encoding="utf-8") as file:
        index = json.load(file)
    for shard in index["shards"]:
        if shard["compression"] or shard["format"] != "mds":
            sys.exit(f"{folder}: a shard is {shard['compression'] or shard['format']}; write it without a compression")
        names, encodings, fixed = (shard[key] for key in ("column_names", "column_encodings", "column_sizes"))
        with open(os.path.join(folder, shard["raw_data"]["basename"]), "rb") as file:
            count, = struct.unpack("<I", file.read(4))
            offsets = struct.unpack(f"<{count + 1}I", file.read(4 * (count + 1)))
            for begin, end in zip(offsets, offsets[1:]):
                file.seek(begin)
                data = io.BytesIO(file.read(end - begin))
                sizes = [size or struct.unpack("<I", data.read(4))[0] for size in fixed]
                yield {name: (encoding, data.read(size)) for name, encoding, size in zip(names, encodings, sizes)}


def column(sample, wanted, kinds):
    """The name of the only column of one of the kinds, or the one that is wanted."""
    found = [name for name, (encoding, _) in sample.items() if encoding in kinds and wanted in (None, name)]
    if len(found) != 1:
        sys.exit(f"which column of {', '.join(sample)} has the {'images' if kinds is IMAGES else 'labels'}?")
    return found[0]


def main(folder, output, image=None, label=None):
    with tarfile.open(f"{output}.part", "w") as archive:
        for number, sample in enumerate(samples(folder)):
            if number == 0:
                image, label = column(sample, image, IMAGES), column(sample, label, INTEGERS)
            encoding, picture = sample[image]
            kind, value = sample[label]
            files = {name.replace("/", "_"): content for name, (_, content) in sample.items() if name not in (image, label)}
            files = {IMAGES[encoding]: picture, "cls": b"%d" % struct.unpack(INTEGERS[kind], value), **files}
            for name, content in files.items():
                member = tarfile.TarInfo(f"{number:08}.{name}")
                member.size = len(content)
                archive.addfile(member, io.BytesIO(content))
    os.replace(f"{output}.part", output)


if __name__ == "__main__":
    if len(sys.argv) not in (3, 5):
        sys.exit(__doc__)
    main(*sys.argv[1:])
