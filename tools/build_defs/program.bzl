"""A program of //tools: NAME.cc with its flags."""

# What every program has among its deps.
_FRAME = [
    "//base:status_macros",
    "//tools/flags:flag_ranges",
    "//tools/flags:tool",
    "@absl",
    "@glog//:gflags",
]

def program(name, deps):
    """The cc_binary NAME of NAME.cc, visible to tests.

    Args:
      name: of the program.
      deps: beside those that every program has.
    """
    native.cc_binary(
        name = name,
        srcs = [name + ".cc"],
        visibility = ["//:above_tools"],
        deps = deps + _FRAME,
    )
