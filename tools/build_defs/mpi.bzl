"""Tests that run as several ranks under the repository's own mpirun."""

def mpi_cc_test(name, ranks, srcs, deps, data = [], size = "small", tags = [], args = [], **kwargs):
    """One binary, and a test for each number of ranks that it is started with.

    Args:
      name: of the suite of tests; that of N ranks is called <name>_N.
      ranks: a list of numbers of ranks. A test fails if any of its ranks does.
      **kwargs: the others are cc_binary's and sh_test's.
    """
    native.cc_binary(
        name = name + "_binary",
        testonly = True,
        srcs = srcs,
        data = data,
        # The libraries round alike on every processor.
        deps = deps + ["//base:reproducible_process"],
        **kwargs
    )
    for n in ranks:
        native.sh_test(
            name = "%s_%d" % (name, n),
            size = size,
            srcs = ["//tools/build_defs:mpi_run.sh"],
            args = [str(n), "$(rootpath :%s_binary)" % name] + args,
            data = [
                ":%s_binary" % name,
                "@openmpi//:runtime",
            ] + data,
            tags = tags + [
                "cpu:%d" % n,
                "distributed",
            ],
        )
    native.test_suite(
        name = name,
        tests = ["%s_%d" % (name, n) for n in ranks],
    )

def mpi_script_test(name, data = [], tags = [], **kwargs):
    """The script <name>.py, which starts ranks of the programs among its `data` (ranks.py beside it)."""
    native.sh_test(
        name = name,
        srcs = [name + ".py"],
        data = data + [
            "ranks.py",
            "//tools/build_defs:mpi_run.sh",
            "@openmpi//:runtime",
        ],
        tags = tags + [
            "cpu:2",
            "distributed",
        ],
        **kwargs
    )
