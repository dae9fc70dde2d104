"""cuda_library: .cu sources compiled by nvcc, as a cc_library.

Keep CUDA code in leaf libraries that register themselves, and let whoever needs them choose by
select({"//tools/build_defs:cuda": [...], "//conditions:default": []}) in deps: then --config=cuda
recompiles nothing else and a CPU build fetches no CUDA library.
"""

load("@bazel_tools//tools/cpp:toolchain_utils.bzl", "find_cpp_toolchain")

# Machine code for these, and PTX of the last for newer ones.
_ARCHITECTURES = ["80", "90"]

def _cuda_objects_impl(ctx):
    context = cc_common.merge_cc_infos(
        cc_infos = [dep[CcInfo] for dep in ctx.attr.deps],
    ).compilation_context
    toolchain = find_cpp_toolchain(ctx)
    objects = []
    for source in ctx.files.srcs:
        object = ctx.actions.declare_file(
            "_objs/%s/%s.pic.o" % (ctx.label.name, source.basename[:-len(".cu")]),
        )
        args = ctx.actions.args()
        args.add_all(["-c", source, "-o", object])
        args.add_all(["-ccbin", toolchain.compiler_executable, "-std=c++20", "-O2", "-DNDEBUG"])
        args.add_all(["-Xcompiler", "-fPIC,-fno-canonical-system-headers"])
        # Names its intermediate files, one of which the object names, by the source; else by the process.
        args.add_all(["--keep", "--keep-dir", object.dirname])
        args.add("--expt-relaxed-constexpr")
        for architecture in _ARCHITECTURES:
            args.add("-gencode=arch=compute_%s,code=sm_%s" % (architecture, architecture))
        args.add("-gencode=arch=compute_%s,code=compute_%s" % (_ARCHITECTURES[-1], _ARCHITECTURES[-1]))
        args.add("-I.")
        args.add_all(context.quote_includes, before_each = "-I")
        args.add_all(context.includes, before_each = "-I")
        args.add_all(context.system_includes, before_each = "-isystem")
        args.add_all(context.defines, format_each = "-D%s")
        args.add_all(ctx.attr.copts)
        ctx.actions.run(
            executable = ctx.file._nvcc,
            arguments = [args],
            inputs = depset(
                [source] + ctx.files.hdrs,
                transitive = [context.headers, depset(ctx.files._nvcc_files), toolchain.all_files],
            ),
            outputs = [object],
            env = {"PATH": "/usr/bin:/bin", "TMPDIR": "/tmp"},
            mnemonic = "Nvcc",
            progress_message = "Compiling %s with nvcc" % source.short_path,
        )
        objects.append(object)
    return [DefaultInfo(files = depset(objects))]

_cuda_objects = rule(
    implementation = _cuda_objects_impl,
    attrs = {
        "srcs": attr.label_list(allow_files = [".cu"], mandatory = True),
        "hdrs": attr.label_list(allow_files = True),
        "deps": attr.label_list(providers = [CcInfo]),
        "copts": attr.string_list(),
        "_cc_toolchain": attr.label(default = "@bazel_tools//tools/cpp:current_cc_toolchain"),
        "_nvcc": attr.label(default = "@cuda_nvcc//:nvidia/cu13/bin/nvcc", allow_single_file = True),
        "_nvcc_files": attr.label(default = "@cuda_nvcc//:nvcc_files"),
    },
    toolchains = ["@bazel_tools//tools/cpp:toolchain_type"],
)

def cuda_library(name, srcs, hdrs = [], deps = [], copts = [], visibility = None):
    """As cc_library; never part of `...`, so that a CPU build does not fetch nvcc.

    Args:
      name: the cc_library's name.
      srcs: .cu files.
      hdrs: headers, of srcs and of the library.
      deps: cc_librarys.
      copts: options for nvcc.
      visibility: as usual.
    """
    deps = deps + ["@cuda_runtime//:cudart", "@cuda_nvcc//:headers"]
    tags = ["manual"]
    _cuda_objects(name = name + "_objects", srcs = srcs, hdrs = hdrs, deps = deps, copts = copts, tags = tags)
    native.cc_library(
        name = name,
        srcs = [name + "_objects"],
        hdrs = hdrs,
        visibility = visibility,
        deps = deps,
        tags = tags,
    )
