"""One target per concept: NAME.h and NAME.cc with the test and the benchmark beside them."""

def _files(names):
    return native.glob(names, allow_empty = True)

def concept(
        name,
        srcs = None,
        hdrs = None,
        deps = [],
        cuda_deps = [],
        exported = False,
        test_deps = [],
        test_data = [],
        test_size = "small",
        benchmark_deps = [],
        **kwargs):
    """The cc_library NAME and, where the files exist, the cc_test NAME_test and the cc_binary NAME_benchmark.

    Args:
      name: of the library, and of its files unless they are given.
      srcs: NAME.cc if not given.
      hdrs: NAME.h if not given.
      deps: of the library; test and benchmark have them too.
      cuda_deps: more of them with --config=cuda.
      exported: visible to the rooms that may include this one (directions.bzl); else to this room
        alone. What is in tests/ is visible there.
      test_deps: of the test, beside the library, its deps and GoogleTest.
      test_data: files that the test reads.
      test_size: of the test, as Bazel understands it.
      benchmark_deps: of the benchmark, beside the library and its deps.
      **kwargs: the others are the cc_library's.
    """
    all_deps = deps
    if cuda_deps:
        all_deps = deps + select({
            "//tools/build_defs:cuda": cuda_deps,
            "//conditions:default": [],
        })
    package = native.package_name()
    visibility = ["//visibility:private"]
    if package.startswith("tests/"):
        visibility = ["//tests:__subpackages__"]
    elif exported:
        visibility = ["//:above_" + package.replace("/", "_")]
    native.cc_library(
        name = name,
        srcs = _files([name + ".cc"]) if srcs == None else srcs,
        hdrs = _files([name + ".h"]) if hdrs == None else hdrs,
        visibility = visibility,
        deps = all_deps,
        **kwargs
    )

    own = [":" + name]
    test = _files([name + "_test.cc"])
    if test:
        if "@libtorch//:torch_cpu" in deps + test_deps:
            # The libraries round alike on every processor.
            test_deps = test_deps + ["//base:reproducible_process"]
        native.cc_test(
            name = name + "_test",
            size = test_size,
            srcs = test,
            data = test_data,
            deps = own + test_deps + ["@gtest//:gtest_main"] + [d for d in deps if d not in test_deps],
        )
    benchmark = _files([name + "_benchmark.cc"])
    if benchmark:
        native.cc_binary(
            name = name + "_benchmark",
            testonly = True,
            srcs = benchmark,
            deps = own + benchmark_deps + [d for d in deps if d not in benchmark_deps],
        )
