#!/usr/bin/env python3
"""Libraries that stand for CUDA's where Python imports torch: make_stubs.py READELF LD OUT LIBRARY...

Torch's wheel loads them before it looks for a GPU, and they are gigabytes that a machine without one never calls. Each stub
has the name, the symbols and the versions that the LIBRARYs ask of it, and no code. What is asked for without a version goes
into the first. OUT gets a file for each library that is neither among the LIBRARYs nor in SYSTEM.
"""

import collections
import os
import re
import subprocess
import sys

SYSTEM = re.compile(r"(lib(c|dl|gcc_s|gomp|m|pthread|rt|stdc\+\+|cudart|cupti)\.so|ld-linux)")
LOOSE = re.compile(r" UND ((?:cu|nccl|nv)\w+)$", re.MULTILINE)


def run(*command):
  return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def wanted(readelf, libraries):
  """Library -> versions -> symbols; and the symbols without a version."""
  needed, versions, symbols, loose = set(), collections.defaultdict(set), collections.defaultdict(set), set()
  for library in libraries:
    text = run(readelf, "-dVW", "--dyn-syms", library)
    needed |= set(re.findall(r"\(NEEDED\).*\[(.*)\]", text))
    file = None
    for key, value in re.findall(r"(File|Name): (\S+)", text.partition("Version needs section")[2]):
      if key == "File":
        file = value
      elif file:
        versions[file].add(value)
    for symbol, version in re.findall(r" UND (\S+?)@(\S+)", text):
      symbols[version].add(symbol)
    loose |= set(LOOSE.findall(text))
  carried = {os.path.basename(library) for library in libraries}
  stubs = sorted(name for name in needed if name not in carried and not SYSTEM.match(name))
  return {name: {version: symbols[version] for version in versions[name]} for name in stubs}, loose


def main():
  readelf, ld, out, *libraries = sys.argv[1:]
  stubs, loose = wanted(readelf, libraries)
  blob = os.path.join(out, "empty")
  with open(blob, "w", encoding="ascii") as file:
    file.write("\n")
  run(ld, "-r", "-b", "binary", blob, "-o", f"{blob}.o")
  for name, versions in stubs.items():
    symbols = set().union(*versions.values(), loose)
    script, map_file = os.path.join(out, f"{name}.ld"), os.path.join(out, f"{name}.map")
    with open(script, "w", encoding="ascii") as file:
      file.writelines(f"{symbol} = 0;\n" for symbol in sorted(symbols))
    with open(map_file, "w", encoding="ascii") as file:
      file.writelines(f"{version} {{ {' '.join(s + ';' for s in sorted(of))} }};\n" for version, of in sorted(versions.items()))
    run(ld, "-shared", "-soname", name, *(["--version-script", map_file] if versions else []), "-o", os.path.join(out, name),
        f"{blob}.o", script)
    loose = set()
    os.remove(script)
    os.remove(map_file)
  os.remove(blob)
  os.remove(f"{blob}.o")


if __name__ == "__main__":
  main()
