#!/usr/bin/env python3
"""Packs the files of a release: pack_release.py MANIFEST READELF OUT.tar

A line of the manifest: place in the archive, file, repository it comes from (none for ours), by tabs.
Adds REQUIREMENTS, what the archive asks of the system. The same files give the same bytes.

Fails if a program or a library in lib/ loads what neither the archive nor the system has, or if a
repository comes without its licence.
"""

import collections
import io
import os
import re
import subprocess
import sys
import tarfile

# What every Linux has: glibc, and the C++ runtime of gcc.
SYSTEM = {"ld-linux-x86-64.so.2", "libc.so.6", "libdl.so.2", "libgcc_s.so.1", "libm.so.6",
          "libpthread.so.0", "libresolv.so.2", "librt.so.1", "libstdc++.so.6", "libutil.so.1"}
# Comes with the GPU's driver and must match it; LibTorch opens what loads it on first use.
DRIVER = {"libcuda.so.1"}

REQUIREMENTS = """\
This archive runs on x86-64 Linux with at least these versions of the system's libraries. Behind each,
a file that needs it.

{versions}
Loaded where they are there, and passed over where not (NVIDIA's driver, OpenMPI's fabrics and launchers):

{optional}
"""

Entry = collections.namedtuple("Entry", "place path repository")
Needs = collections.namedtuple("Needs", "libraries versions")


def read_manifest(path):
  with open(path) as file:
    entries = [Entry(*line.rstrip("\n").split("\t")) for line in file]
  # Where a file has several names, the one that it has on disk comes first.
  return sorted(entries, key=lambda e: (os.path.basename(os.path.realpath(e.path)) != os.path.basename(e.place),
                                        e.place))


def is_elf(path):
  with open(path, "rb") as file:
    return file.read(4) == b"\x7fELF"


def needs_of(readelf, path):
  text = subprocess.run([readelf, "-dVW", path], check=True, capture_output=True, text=True).stdout
  _, _, needed_versions = text.partition("Version needs section")
  return Needs(set(re.findall(r"\(NEEDED\).*\[(.*)\]", text)),
               set(re.findall(r"Name: ((?:GLIBC|GLIBCXX|CXXABI|GCC)_[0-9.]+)", needed_versions)))


def newest_versions(needs):
  """Family -> (version, a place that needs it)."""
  newest = {}
  for place, (_, versions) in sorted(needs.items()):
    for version in versions:
      family, _, number = version.partition("_")
      key = [int(part) for part in number.split(".")]
      if family not in newest or key > newest[family][0]:
        newest[family] = (key, version, place)
  return {family: (version, place) for family, (_, version, place) in sorted(newest.items())}


def missing_libraries(needs):
  """Place -> libraries that neither the archive nor SYSTEM has."""
  carried = {os.path.basename(place) for place in needs}
  return {place: libraries - carried - SYSTEM for place, (libraries, _) in needs.items()
          if libraries - carried - SYSTEM}


def problems(entries, needs):
  missing = missing_libraries(needs)
  for place, libraries in sorted(missing.items()):
    if place.startswith(("bin/", "lib/")) and libraries - DRIVER:
      yield f"{place} loads {', '.join(sorted(libraries - DRIVER))}, which is not carried"
  licensed = {e.place.split("/")[1] for e in entries if e.place.startswith("licences/")}
  for repository in sorted({e.repository for e in entries} - {""} - licensed):
    yield f"something of @{repository} is carried without its licence"


def requirements(needs):
  versions = "".join(f"{version:<16} {place}\n" for version, place in newest_versions(needs).values())
  optional = collections.defaultdict(set)
  for place, libraries in missing_libraries(needs).items():
    for library in libraries:
      optional[library].add(re.sub(r"\.so[.0-9]*$", ".so", os.path.basename(place)))
  lines = (f"{library:<24} {', '.join(sorted(names))}" for library, names in sorted(optional.items()))
  return REQUIREMENTS.format(versions=versions, optional="\n".join(lines))


def add(tar, place, **fields):
  """An entry without owner, time or other traces of where it was packed."""
  info = tarfile.TarInfo("nqdarts/" + place)
  content = fields.pop("content", None)
  for name, value in fields.items():
    setattr(info, name, value)
  tar.addfile(info, content)


def pack(out, entries, extra):
  with tarfile.open(out, "w", format=tarfile.GNU_FORMAT) as tar:
    for place, text in extra.items():
      content = text.encode()
      add(tar, place, size=len(content), content=io.BytesIO(content))
    first_place = {}
    for entry in entries:
      real = os.path.realpath(entry.path)
      first = first_place.setdefault(real, entry.place)
      if first != entry.place:
        target = os.path.relpath(first, os.path.dirname(entry.place))
        add(tar, entry.place, type=tarfile.SYMTYPE, linkname=target, mode=0o777)
        continue
      with open(real, "rb") as content:
        mode = 0o755 if os.access(real, os.X_OK) else 0o644
        add(tar, entry.place, size=os.path.getsize(real), mode=mode, content=content)


def main():
  manifest, readelf, out = sys.argv[1:]
  entries = read_manifest(manifest)
  needs = {e.place: needs_of(readelf, e.path) for e in entries if is_elf(e.path)}
  found = list(problems(entries, needs))
  if found:
    sys.exit("\n".join(found))
  pack(out, entries, {"REQUIREMENTS": requirements(needs)})


if __name__ == "__main__":
  main()
