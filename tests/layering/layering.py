"""The rules of the house, read off Bazel's view of the targets and off the sources.

  - A room includes only what //tools/build_defs:directions.bzl allows, which lists rooms from the
    ground up: nothing points up, and there is no circle.
  - A target includes only headers of its own and of its direct deps.
  - Every C++ file belongs to a target, every target to a room.
  - A test that links LibTorch computes on fixed paths, whatever the processor.
  - A BUILD file is short.
"""

import ast
import collections
import pathlib
import re
import subprocess
import xml.etree.ElementTree

FLOORS = ("base", "data", "quant", "distributed", "nas", "tools", "tests")

# Packages without C++: rules for Bazel, and data.
NOT_ROOMS = {"tools/build_defs", "tools/sample_data"}

BUILD_LINES = 250

# What fixes the libraries' paths in a program that depends on it.
REPRODUCIBLE = "//base:reproducible_process"

# The repository that provides a third-party header, by the beginning of its name.
REPOSITORIES = {
    "ATen/": "libtorch",
    "absl/": "absl",
    "benchmark/": "benchmark",
    "c10/": "libtorch",
    "caffe2/": "libtorch",
    "cuda": "cuda_runtime",
    "curl/": "curl",
    "gflags/": "glog",
    "glog/": "glog",
    "gmock/": "gtest",
    "gtest/": "gtest",
    "hwy/": "highway",
    "jpeglib.h": "jpeg",
    "mpi.h": "openmpi",
    "nanobind/": "nanobind",
    "nccl.h": "cuda_libs",
    "nlohmann/": "json",
    "nvjpeg.h": "nvjpeg",
    "openssl/": "curl",
    "png.h": "png",
    "protozero/": "protozero",
    "torch/": "libtorch",
    "turbojpeg.h": "jpeg",
    "xxhash.h": "xxhash",
}

SOURCE = re.compile(r".*\.(h|cc|cu|cuh)$")
INCLUDE = re.compile(r'^\s*#\s*include\s+[<"]([^>"]+)[>"]', re.MULTILINE)

# `files` and `headers` are paths in the workspace, `deps` labels.
Target = collections.namedtuple("Target", "label files headers deps")


def query_targets(workspace, output_base):
    """Every rule of the floors as Bazel sees it, macros and select()s expanded."""
    patterns = " + ".join(f"//{floor}/..." for floor in FLOORS)
    xml_text = subprocess.run(
        ["bazel", "--batch", f"--output_base={output_base}", "query", "--output=xml", f"kind(rule, {patterns})"],
        cwd=workspace, stdout=subprocess.PIPE, check=True).stdout
    return parse_targets(xml_text)


def parse_targets(xml_text):
    targets = []
    for rule in xml.etree.ElementTree.fromstring(xml_text):
        def labels(attribute):
            return [label.get("value") for label in rule.findall(f"./list[@name='{attribute}']/label")]

        def own_files(*attributes):
            paths = [path_of(label) for attribute in attributes for label in labels(attribute)]
            return [path for path in paths if path and SOURCE.match(path)]

        targets.append(Target(rule.get("name"), own_files("srcs", "hdrs", "textual_hdrs"),
                              own_files("hdrs", "textual_hdrs"), labels("deps")))
    return targets


def path_of(label):
    return None if label.startswith("@") else label[len("//"):].replace(":", "/")


def package_of(label):
    return label[len("//"):].split(":")[0]


def read_directions(path):
    for statement in ast.parse(pathlib.Path(path).read_text()).body:
        if isinstance(statement, ast.Assign) and statement.targets[0].id == "DIRECTIONS":
            return ast.literal_eval(statement.value)
    raise ValueError(f"{path}: has no DIRECTIONS")


def check_directions(directions):
    """Each room lists only rooms, or whole floors, that stand before it."""
    rooms = list(directions)
    for i, room in enumerate(rooms):
        for below in directions[room]:
            known = below in rooms or any(r.startswith(below + "/") for r in rooms)
            later = [r for r in rooms[i:] if r == below or (r != room and r.startswith(below + "/"))]
            if not known:
                yield f"directions.bzl: {room} may include {below}, which is no room"
            elif later:
                yield f"directions.bzl: {room} may include {below}, but {later[0]} does not stand before it"


def room_of(package, directions):
    while package and package not in directions:
        package = package.rpartition("/")[0]
    return package


def may_include(room, other, directions):
    return room == other or other in directions[room] or other.split("/")[0] in directions[room]


# Templates that run on one thread where they are compiled without OpenMP.
PARALLEL = re.compile(r"\bat::parallel_(for|reduce)\(")
PARALLEL_FILE = "base/parallel.cc"


def check_file(path, text, target, headers_of, directions):
    if path != PARALLEL_FILE and PARALLEL.search(text):
        yield f"{path}: loops over threads with at::parallel_for or its like, not base/parallel.h"
    room = room_of(package_of(target.label), directions)
    repositories = {d[1:].split("//")[0] for d in target.deps if d.startswith("@")}
    reachable = set(target.files) | {h for d in target.deps for h in headers_of.get(d, ())}
    for name in INCLUDE.findall(text):
        if "/" in name and name.split("/")[0] in FLOORS:
            other = room_of(name.rpartition("/")[0], directions)
            if not may_include(room, other, directions):
                yield f"{path}: includes {name}, which {room} may not"
            if name not in reachable:
                yield f"{path}: includes {name}, which no direct dep of {target.label} provides"
            continue
        for prefix, repository in REPOSITORIES.items():
            if name.startswith(prefix) and repository not in repositories:
                yield f"{path}: includes {name}, but {target.label} does not depend on @{repository}"


def computes_on_any_path(target):
    is_test = target.label.endswith(("_test", "_test_binary"))
    with_torch = any(d.startswith("@libtorch//") for d in target.deps)
    return is_test and with_torch and REPRODUCIBLE not in target.deps


def violations(workspace, targets, directions):
    """One line per breach."""
    workspace = pathlib.Path(workspace)
    yield from check_directions(directions)
    headers_of = {t.label: t.headers for t in targets}
    covered = set()
    for target in targets:
        package = package_of(target.label)
        if package in NOT_ROOMS:
            continue
        if not room_of(package, directions):
            yield f"{target.label}: its package is no room of directions.bzl"
            continue
        covered.update(target.files)
        if computes_on_any_path(target):
            yield f"{target.label}: tests with LibTorch, but does not depend on {REPRODUCIBLE}"
        for path in target.files:
            if (workspace / path).exists():  # else it is generated
                yield from check_file(path, (workspace / path).read_text(), target, headers_of, directions)
    for floor in FLOORS:
        for path in sorted((workspace / floor).rglob("*")):
            name = str(path.relative_to(workspace))
            if SOURCE.match(name) and name not in covered:
                yield f"{name}: belongs to no target"
            if path.name == "BUILD.bazel" and len(path.read_text().splitlines()) > BUILD_LINES:
                yield f"{name}: has more than {BUILD_LINES} lines"
