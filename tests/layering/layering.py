"""The rules of the house, read off the BUILD files and the sources.

  - An include never points up: tools > nas > distributed > data, quant > base.
  - A target includes only headers of its own and of its direct deps.
  - Every C++ file belongs to a target.

`violations(workspace)` returns one line per breach.
"""

import ast
import collections
import pathlib
import re

# What a package may include besides itself.
ALLOWED_FLOORS = {
    "base": set(),
    "data": {"base"},
    "quant": {"base"},
    "distributed": {"base", "data", "quant"},
    "nas": {"base", "data", "quant", "distributed"},
    "tools": {"base", "data", "quant", "distributed", "nas"},
    "tests": {"base", "data", "quant", "distributed", "nas", "tools"},
}

# The repository that provides a third-party header, by the beginning of its name.
REPOSITORIES = {
    "ATen/": "libtorch",
    "absl/": "absl",
    "benchmark/": "benchmark",
    "c10/": "libtorch",
    "caffe2/": "libtorch",
    "cuda": "cuda_runtime",
    "gflags/": "glog",
    "glog/": "glog",
    "gmock/": "gtest",
    "gtest/": "gtest",
    "jpeglib.h": "jpeg",
    "mpi.h": "openmpi",
    "nccl.h": "cuda_libs",
    "nlohmann/": "json",
    "png.h": "png",
    "torch/": "libtorch",
    "turbojpeg.h": "jpeg",
    "xxhash.h": "xxhash",
}

SOURCE = re.compile(r".*\.(h|cc|cu|cuh)$")
INCLUDE = re.compile(r'^\s*#\s*include\s+[<"]([^>"]+)[>"]', re.MULTILINE)

Target = collections.namedtuple("Target", "label files headers deps")


def read_build_file(path, package):
    """The targets of one BUILD file, found by running it with recording stubs for every rule."""
    targets = []

    def rule(*_, name=None, srcs=(), hdrs=(), deps=(), textual_hdrs=(), **__):
        if name is None:
            return
        own = [f"{package}/{f}" for f in [*srcs, *hdrs, *textual_hdrs] if SOURCE.match(f) and f[0] not in ":/@"]
        public = [f"{package}/{f}" for f in [*hdrs, *textual_hdrs]]
        targets.append(Target(f"//{package}:{name}", own, public, [absolute(d, package) for d in deps]))

    def glob(include, exclude=(), **_):
        excluded = {p for pattern in exclude for p in path.parent.glob(pattern)}
        found = (p for pattern in include for p in path.parent.glob(pattern))
        return sorted(str(p.relative_to(path.parent)) for p in found if p not in excluded)

    tree = ast.parse(path.read_text(), str(path))
    names = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    scope = {name: rule for name in names if name not in dir(__builtins__)}
    scope.update(glob=glob, select=lambda branches: [v for values in branches.values() for v in values])
    exec(compile(tree, str(path), "exec"), scope)
    return targets


def absolute(label, package):
    if label.startswith("@"):
        return label
    if label.startswith(":"):
        return f"//{package}{label}"
    if ":" not in label:
        return f"{label}:{label.rsplit('/', 1)[-1]}"
    return label


def included_names(text):
    return INCLUDE.findall(text)


def check_file(path, text, target, headers_of):
    package = path.split("/")[0]
    repositories = {d[1:].split("//")[0] for d in target.deps if d.startswith("@")}
    reachable = set(target.files) | {h for d in target.deps for h in headers_of.get(d, ())}
    for name in included_names(text):
        floor = name.split("/")[0]
        if floor in ALLOWED_FLOORS and "/" in name:
            if floor != package and floor not in ALLOWED_FLOORS[package]:
                yield f"{path}: includes {name}, which points up or aside from {package}/"
            if name not in reachable:
                yield f"{path}: includes {name}, which no direct dep of {target.label} provides"
            continue
        for prefix, repository in REPOSITORIES.items():
            if name.startswith(prefix) and repository not in repositories:
                yield f"{path}: includes {name}, but {target.label} does not depend on @{repository}"


def violations(workspace):
    workspace = pathlib.Path(workspace)
    targets = []
    for floor in ALLOWED_FLOORS:
        for build_file in sorted((workspace / floor).rglob("BUILD.bazel")):
            package = str(build_file.parent.relative_to(workspace))
            targets += read_build_file(build_file, package)
    headers_of = {t.label: t.headers for t in targets}
    covered = set()
    for target in targets:
        covered.update(target.files)
        for path in target.files:
            if not (workspace / path).exists():
                continue  # generated
            yield from check_file(path, (workspace / path).read_text(), target, headers_of)
    for floor in ALLOWED_FLOORS:
        for path in sorted((workspace / floor).rglob("*")):
            name = str(path.relative_to(workspace))
            if SOURCE.match(name) and name not in covered:
                yield f"{name}: belongs to no target"
