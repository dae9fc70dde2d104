"""deb_archive: pinned Debian packages, fetched by apt-get, unpacked without installing."""

load("//third_party/repo_rules:fetch.bzl", "admit", "cached", "finish", "load_lock", "run")

_DOWNLOAD = "cd _dl && exec apt-get -q -y -o APT::Sandbox::User=root %s download %s"

# Of a package's documentation its licence stays, as usr/share/doc/PACKAGE/copyright.
_ONLY_LICENCES = "[ ! -d usr/share/doc ] || find usr/share/doc ! -type d ! -path 'usr/share/doc/*/copyright' -delete"

def _private_apt(rctx):
    """Options for an apt state of our own: needs neither root nor this machine's package lists."""
    state = str(rctx.path("_apt"))
    run(rctx, ["mkdir", "-p", state + "/lists/partial", state + "/cache/archives/partial"])
    return [
        "-o",
        "Dir::State::Lists=" + state + "/lists",
        "-o",
        "Dir::Cache=" + state + "/cache",
        "-o",
        "APT::Sandbox::User=root",
        "-o",
        "Acquire::Languages=none",
        "-o",
        "Acquire::Retries=3",
    ]

def _download(rctx, pins):
    specs = " ".join(["%s=%s" % (name, pin[0]) for name, pin in pins.items()])
    run(rctx, ["mkdir", "-p", "_dl"])
    if rctx.execute(["sh", "-c", _DOWNLOAD % ("", specs)], timeout = 1200).return_code != 0:
        # This machine's package lists are missing or stale.
        options = _private_apt(rctx)
        run(rctx, ["apt-get", "-q"] + options + ["update"])
        run(rctx, ["sh", "-c", _DOWNLOAD % (" ".join(options), specs)])
    for name, pin in pins.items():
        # Renamed, since '%3a' in an epoch's file name would be decoded in a file: URL.
        run(rctx, ["sh", "-c", "mv _dl/%s_*.deb _dl/%s.deb" % (name, name)])
        admit(rctx, "_dl/%s.deb" % name, pin[1], "_deb/%s.deb" % name)

def _impl(rctx):
    pins = load_lock(rctx, rctx.attr.packages)
    missing = {
        name: pin
        for name, pin in pins.items()
        if not cached(rctx, pin[1], "_deb/%s.deb" % name)
    }
    if missing:
        _download(rctx, missing)
    for name in pins:
        run(rctx, ["dpkg-deb", "-x", "_deb/%s.deb" % name, "."])
    for path in ["_deb", "_dl", "_apt", "usr/share/man", "usr/share/lintian"]:
        rctx.delete(path)
    run(rctx, ["sh", "-ec", _ONLY_LICENCES])
    for source, path in rctx.attr.executables.items():
        rctx.file(path, rctx.read(source))
    for command in rctx.attr.patch_cmds:
        run(rctx, ["sh", "-ec", command])
    if rctx.attr.strip_prefix:
        run(rctx, ["sh", "-ec", "mv %s/* ." % rctx.attr.strip_prefix])
        rctx.delete(rctx.attr.strip_prefix.split("/")[0])
    finish(rctx)

deb_archive = repository_rule(
    implementation = _impl,
    attrs = {
        "build_file": attr.label(allow_single_file = True),
        # Scripts of ours and where they lie in the repository.
        "executables": attr.label_keyed_string_dict(allow_files = True),
        "lock": attr.label(default = "//third_party:deb_lock.json", allow_single_file = True),
        "packages": attr.string_list(mandatory = True),
        # Shell commands, run in the unpacked packages' folder.
        "patch_cmds": attr.string_list(),
        "strip_prefix": attr.string(),
    },
)
