#!/usr/bin/env python3
"""Packs a wheel: pack_wheel.py MANIFEST METADATA TAG READELF OUTPUT.whl [PROVIDED...]

The manifest has lines of kind, place and path, separated by tabs. Of the libraries, those go along that a module needs,
or a library that does, into the folder _lib beside it; not those that the system has, nor those whose names begin
with one of PROVIDED. The same input gives the same bytes.
"""

import base64
import hashlib
import pathlib
import re
import subprocess
import sys
import zipfile

# Of glibc and gcc: a Linux that the wheel's tag fits has them.
SYSTEM = re.compile(r"(libc|libm|libdl|libpthread|librt|libstdc\+\+|libgcc_s|ld-linux-x86-64)\.so\b")


def needed(readelf, path):
    output = subprocess.run([readelf, "-d", path], check=True, capture_output=True, text=True).stdout
    return re.findall(r"\(NEEDED\).*\[(.*)\]", output)


def with_libraries(module, libraries, readelf, provided):
    """The libraries beneath a module, by name."""
    found, ahead = {}, [module]
    while ahead:
        for name in needed(readelf, ahead.pop()):
            if name in found or SYSTEM.match(name) or name.startswith(provided):
                continue
            if name not in libraries:
                sys.exit(f"{module}: needs {name}, which no dependency provides")
            found[name] = libraries[name]
            ahead.append(libraries[name])
    return found


def record_line(name, data):
    digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
    return f"{name},sha256={digest},{len(data)}\n"


def main():
    manifest, metadata, tag, readelf, output, *provided = sys.argv[1:]
    rows = [line.split("\t") for line in pathlib.Path(manifest).read_text().splitlines()]
    libraries = {place: path for kind, place, path in rows if kind == "library"}
    info = "-".join(pathlib.Path(output).name.split("-")[:2]) + ".dist-info/"
    files = {}
    for kind, place, path in rows:
        if kind in ("file", "module"):
            files[place] = pathlib.Path(path).read_bytes()
        if kind == "module":
            folder = str(pathlib.PurePosixPath(place).parent) + "/_lib/"
            for name, library in with_libraries(path, libraries, readelf, tuple(provided)).items():
                files[folder + name] = pathlib.Path(library).read_bytes()
        if kind == "licence":
            files[info + "licenses/" + place] = pathlib.Path(path).read_bytes()
    files[info + "METADATA"] = pathlib.Path(metadata).read_bytes()
    files[info + "WHEEL"] = f"Wheel-Version: 1.0\nGenerator: nqdarts\nRoot-Is-Purelib: false\nTag: {tag}\n".encode()
    record = "".join(record_line(name, files[name]) for name in sorted(files)) + info + "RECORD,,\n"
    with zipfile.ZipFile(output, "w", zipfile.ZIP_DEFLATED) as wheel:
        for name, data in [*sorted(files.items()), (info + "RECORD", record.encode())]:
            entry = zipfile.ZipInfo(name)  # of 1980
            entry.external_attr = (0o100755 if ".so" in name else 0o100644) << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            wheel.writestr(entry, data)


if __name__ == "__main__":
    main()
