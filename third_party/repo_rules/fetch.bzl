"""Fetch a pinned file with a package manager's own client, through Bazel's
content-addressed repository cache, so that --repository_cache builds offline."""

def run(rctx, args, timeout = 1200):
    """Runs a command in the repository's folder; its failure fails the fetch with all it printed."""
    result = rctx.execute(args, timeout = timeout)
    if result.return_code != 0:
        fail("%s failed (%d):\n%s\n%s" % (
            " ".join([str(a) for a in args]),
            result.return_code,
            result.stdout,
            result.stderr,
        ))
    return result

def load_lock(rctx, packages):
    """The (version, sha256) of each package, from rctx.attr.lock."""
    lock = json.decode(rctx.read(rctx.attr.lock))
    missing = [p for p in packages if p not in lock]
    if missing:
        fail("not in %s: %s (third_party/refresh_locks.py adds them)" % (rctx.attr.lock, ", ".join(missing)))
    return {p: lock[p] for p in packages}

def cached(rctx, sha256, output):
    """True if `output` was filled from the repository cache."""
    return rctx.download(
        url = ["file:///nonexistent"],
        output = output,
        sha256 = sha256,
        allow_fail = True,
    ).success

def admit(rctx, path, sha256, output):
    """Checks the sha256 of the fetched file `path` and enters it in the repository cache."""
    rctx.download(
        url = ["file://" + str(rctx.path(path))],
        output = output,
        sha256 = sha256,
    )

# What Debian's packages and wheels say of their licences.
_LICENCES = """
filegroup(
    name = "licences",
    srcs = glob([
        "usr/share/doc/*/copyright",
        "*.dist-info/**/LICENSE*",
        "*.dist-info/**/License*",
        "*.dist-info/**/NOTICE*",
    ]),
    visibility = ["//visibility:public"],
)
"""

def finish(rctx):
    """Makes the unpacked packages a repository, with rctx.attr.build_file as its BUILD file.

    Its target :licences comes by itself.
    """
    if rctx.attr.build_file:
        rctx.delete("BUILD")
        rctx.delete("BUILD.bazel")
        # A copy: the repositories of an output base outlive the checkout that made them.
        rctx.file("BUILD.bazel", rctx.read(rctx.attr.build_file) + _LICENCES, executable = False)
        rctx.file("WORKSPACE", "workspace(name = \"%s\")\n" % rctx.name)
