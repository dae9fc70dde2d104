#!/usr/bin/env python3
"""Copies chosen files of a folder of golden vectors, with a manifest of just these.

  tests/golden/select_vectors.py FOLDER tests/golden/vectors quantizers.pt mixconv_b24_0.pt

Files chosen before stay; their manifest entries are refreshed if FOLDER has them.
"""

import argparse
import json
import pathlib
import shutil

LARGEST_FILE = 2 << 20


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("source", type=pathlib.Path)
    parser.add_argument("target", type=pathlib.Path)
    parser.add_argument("names", nargs="+", help="file names in the source folder")
    args = parser.parse_args()

    source = json.loads((args.source / "manifest.json").read_text())
    manifest_path = args.target / "manifest.json"
    chosen = set(args.names)
    if manifest_path.exists():
        kept = json.loads(manifest_path.read_text())
        chosen |= {entry["file"] for entry in kept["files"]} | set(kept["json_tables"])

    entries = [entry for entry in source["files"] if entry["file"] in chosen]
    tables = [name for name in source["json_tables"] if name in chosen]
    missing = chosen - {entry["file"] for entry in entries} - set(tables)
    if missing:
        parser.error(f"not in {args.source}: {', '.join(sorted(missing))}")

    args.target.mkdir(parents=True, exist_ok=True)
    for name in args.names:
        if (args.source / name).stat().st_size > LARGEST_FILE:
            parser.error(f"{name} is larger than {LARGEST_FILE} bytes")
        shutil.copyfile(args.source / name, args.target / name)
    # What the checker does not read, the producer's list of keys and shapes, would be most of it.
    for entry in entries:
        entry.pop("keys", None)
        entry.pop("key_counts", None)
    manifest = {"doc": source["doc"], "json_tables": tables, "files": entries}
    manifest_path.write_text(json.dumps(manifest, indent=1) + "\n")


if __name__ == "__main__":
    main()
