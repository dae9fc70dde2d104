"""wheel_archive: pinned wheels fetched by pip, unpacked side by side as in site-packages."""

load("//third_party/repo_rules:fetch.bzl", "admit", "cached", "finish", "load_lock", "run")

# Every manylinux tag up to glibc 2.28: NVIDIA uses odd ones, and NCCL is invisible without them.
_PLATFORMS = ["manylinux_2_%d_x86_64" % i for i in range(28, 4, -1)] + ["manylinux2014_x86_64"]

_PIP = [
    "-m",
    "pip",
    "download",
    "-q",
    "--disable-pip-version-check",
    "--no-cache-dir",
    "--no-deps",
    "--require-hashes",
    "--only-binary=:all:",
    "--python-version=311",
    "--implementation=cp",
    "--abi=cp311",
    "--abi=abi3",
    "--abi=none",
    "-r",
    "_req.txt",
    "-d",
    "_dl",
] + ["--platform=" + p for p in _PLATFORMS]

def _download(rctx, name, version, sha256, output):
    rctx.file("_req.txt", "%s==%s --hash=sha256:%s\n" % (name, version, sha256))
    run(rctx, [rctx.which("python3")] + _PIP)
    run(rctx, ["sh", "-ec", "mv _dl/*.whl _dl/one.zip"])
    admit(rctx, "_dl/one.zip", sha256, output)
    rctx.delete("_dl")
    rctx.delete("_req.txt")

def _impl(rctx):
    for name, (version, sha256) in load_lock(rctx, rctx.attr.packages).items():
        archive = "_whl/%s.zip" % name
        if not cached(rctx, sha256, archive):
            _download(rctx, name, version, sha256, archive)
        rctx.extract(archive)
        rctx.delete(archive)
    finish(rctx)

wheel_archive = repository_rule(
    implementation = _impl,
    attrs = {
        "build_file": attr.label(mandatory = True, allow_single_file = True),
        "lock": attr.label(default = "//third_party:wheel_lock.json", allow_single_file = True),
        "packages": attr.string_list(mandatory = True),
    },
)
