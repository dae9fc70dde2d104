"""The repositories Bazel 4 loads implicitly, from Debian's packages instead of the network.

Debian's own rules_cc is too new for Debian's Bazel ("does not contain symbol 'use_cpp_toolchain'"),
so the native rules stand in under its names. Coverage tools are not supported.
"""

load("//third_party/repo_rules:deb.bzl", "deb_archive")

def _stub_impl(rctx):
    rctx.file("WORKSPACE", "workspace(name = \"%s\")\n" % rctx.name)
    rctx.file("BUILD.bazel", rctx.attr.build)

_stub_repository = repository_rule(implementation = _stub_impl, attrs = {"build": attr.string()})

def bazel_implicit_repositories():
    version = native.bazel_version  # "" for Debian's bazel-bootstrap
    if version and not version.startswith("4."):
        return  # a newer Bazel brings its own defaults
    native.local_repository(name = "rules_cc", path = "third_party/bazel_stubs/rules_cc")
    deb_archive(name = "platforms", packages = ["bazel-platforms"], strip_prefix = "usr/share/bazel/tools/platforms")
    deb_archive(name = "rules_java", packages = ["bazel-rules-java"], strip_prefix = "usr/share/bazel/rules/java")
    deb_archive(name = "rules_proto", packages = ["bazel-rules-proto"], strip_prefix = "usr/share/bazel/rules/proto")
    _stub_repository(name = "remote_coverage_tools", build = """
filegroup(name = "coverage_report_generator", srcs = [], visibility = ["//visibility:public"])
filegroup(name = "lcov_merger", srcs = [], visibility = ["//visibility:public"])
""")
