"""Fuzz targets, and ordinary tests of them."""

def fuzz_target(name, srcs, deps, replay = ":replay"):
    """Makes fuzz_NAME, for libFuzzer, and NAME_test, which replays corpus/NAME.

    Args:
      name: of the target.
      srcs: have its LLVMFuzzerTestOneInput.
      deps: of srcs.
      replay: //data/fuzz:replay, as seen from the room.
    """
    native.cc_binary(
        name = "fuzz_" + name,
        testonly = True,
        srcs = srcs,
        linkopts = ["-fsanitize=fuzzer"],  # which only clang has
        tags = ["manual"],
        deps = deps,
    )
    corpus = native.glob(["corpus/%s/*" % name])
    native.cc_test(
        name = name + "_test",
        size = "small",
        srcs = srcs,
        args = ["$(location %s)" % file for file in corpus],
        data = corpus,
        deps = deps + [replay],
    )
