#!/usr/bin/env python3
"""Rewrites third_party/{deb,wheel}_lock.json: name -> [version, sha256].

  refresh_locks.py                      every Debian package at its newest version in the configured suites
  refresh_locks.py libpng-dev ...       those Debian packages only (new names are added)
  refresh_locks.py --wheel torch==2.11.0 nvidia-nccl-cu13==2.28.9 ...
                                        those wheels at those versions

apt-get and pip do the looking-up, so this needs only what the machine is configured for.
"""

import argparse
import json
import pathlib
import subprocess
import sys

FOLDER = pathlib.Path(__file__).resolve().parent


def output_of(*command):
    result = subprocess.run(command, capture_output=True, text=True)
    if result.returncode:
        sys.exit(f"{' '.join(command)} failed:\n{result.stderr.strip()[-2000:]}")
    return result.stdout


def newest_deb(name):
    fields = {}
    for line in output_of("apt-cache", "show", "--no-all-versions", name).splitlines():
        key, _, value = line.partition(": ")
        fields.setdefault(key, value)
    return [fields["Version"], fields["SHA256"]]


def wheel_pins(requirements):
    report = json.loads(
        output_of(
            sys.executable, "-m", "pip", "install", "-q", "--dry-run", "--no-deps",
            "--ignore-installed", "--break-system-packages", "--report", "-", *requirements,
        )
    )
    return {
        item["metadata"]["name"]: [
            item["metadata"]["version"],
            item["download_info"]["archive_info"]["hashes"]["sha256"],
        ]
        for item in report["install"]
    }


def update(path, pins):
    lock = json.loads(path.read_text())
    for name, pin in sorted(pins.items()):
        if lock.get(name) != pin:
            print(f"{path.name}: {name} {lock.get(name, ['new'])[0]} -> {pin[0]}")
    lock.update(pins)
    rows = (f" {json.dumps(name)}: {json.dumps(lock[name])}" for name in sorted(lock))
    path.write_text("{\n" + ",\n".join(rows) + "\n}\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--wheel", action="store_true", help="the names are wheels, as name==version")
    parser.add_argument("names", nargs="*")
    args = parser.parse_args()
    if args.wheel:
        update(FOLDER / "wheel_lock.json", wheel_pins(args.names))
    else:
        path = FOLDER / "deb_lock.json"
        names = args.names or json.loads(path.read_text())
        update(path, {name: newest_deb(name) for name in names})


if __name__ == "__main__":
    main()
