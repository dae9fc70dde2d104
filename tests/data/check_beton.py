"""Compares .beton files that FFCV wrote with the hashes noted when they were written.

    bazel run //tests/data:check_beton -- FOLDER

FOLDER holds NAME.beton beside NAME.json, whose "samples" give each sample's width, height, mode
("jpg" or "raw"), label, size and the SHA-256 of its bytes.
"""

import hashlib
import io
import json
import pathlib
import subprocess
import sys


def differences(dump, samples):
    """Yields the samples of `dump`, a stream from dump_samples, that are not as noted."""
    for index, sample in enumerate(samples):
        label, width, height, encoding, size = map(int, dump.readline().split())
        found = (label, width, height, ("jpg", "raw")[encoding], size,
                 hashlib.sha256(dump.read(size)).hexdigest())
        noted = tuple(sample[key] for key in ("label", "width", "height", "mode", "size", "sha256"))
        if found != noted:
            yield f"sample {index}: {found}, noted {noted}"
    if dump.read(1):
        yield "more samples than noted"


def main():
    dump_samples, folder = sys.argv[1:]
    notes = sorted(pathlib.Path(folder).glob("*.json"))
    failed = not notes
    for note in notes:
        samples = json.loads(note.read_text())["samples"]
        dump = subprocess.run([dump_samples, note.with_suffix(".beton")], check=True,
                              stdout=subprocess.PIPE).stdout
        found = list(differences(io.BytesIO(dump), samples))
        print(f"{note.stem}: {len(samples) - len(found)} of {len(samples)} samples equal")
        print("\n".join(found[:10]), end="\n" if found else "")
        failed |= bool(found)
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
