"""How Bazel calls the pinned gcc: as its own detection would call the host's, but by relative paths."""

load("@bazel_tools//tools/build_defs/cc:action_names.bzl", "ACTION_NAMES")
load(
    "@bazel_tools//tools/cpp:cc_toolchain_config_lib.bzl",
    "feature",
    "flag_group",
    "flag_set",
    "tool_path",
    "variable_with_value",
    "with_feature_set",
)

_COMPILE = [
    ACTION_NAMES.assemble,
    ACTION_NAMES.c_compile,
    ACTION_NAMES.cpp_compile,
    ACTION_NAMES.cpp_header_parsing,
    ACTION_NAMES.linkstamp_compile,
    ACTION_NAMES.preprocess_assemble,
]

_LINK = [
    ACTION_NAMES.cpp_link_dynamic_library,
    ACTION_NAMES.cpp_link_executable,
    ACTION_NAMES.cpp_link_nodeps_dynamic_library,
]

_TOOLS = ["ar", "cpp", "dwp", "gcc", "gcov", "ld", "nm", "objcopy", "objdump", "strip"]

def _flags(actions, flags, mode = None):
    return flag_set(
        actions = actions,
        flag_groups = [flag_group(flags = flags)],
        with_features = [with_feature_set(features = [mode])] if mode else [],
    )

def _libraries(flags, type, **kwargs):
    return flag_group(
        flags = flags,
        expand_if_equal = variable_with_value(name = "libraries_to_link.type", value = type),
        **kwargs
    )

# Bazel's own feature of this name. Being listed here it comes behind default_link_flags, whose
# -no-as-needed must come before the libraries: ours are used by others that are linked into a program.
_LIBRARIES_TO_LINK = feature(
    name = "libraries_to_link",
    enabled = True,
    flag_sets = [flag_set(
        actions = _LINK,
        flag_groups = [flag_group(
            expand_if_available = "libraries_to_link",
            iterate_over = "libraries_to_link",
            flag_groups = [
                _libraries(["-Wl,--start-lib"], "object_file_group"),
                flag_group(flags = ["-Wl,-whole-archive"], expand_if_true = "libraries_to_link.is_whole_archive"),
                _libraries(
                    ["%{libraries_to_link.object_files}"],
                    "object_file_group",
                    iterate_over = "libraries_to_link.object_files",
                ),
                _libraries(["%{libraries_to_link.name}"], "object_file"),
                _libraries(["%{libraries_to_link.name}"], "interface_library"),
                _libraries(["%{libraries_to_link.name}"], "static_library"),
                _libraries(["-l%{libraries_to_link.name}"], "dynamic_library"),
                _libraries(["-l:%{libraries_to_link.name}"], "versioned_dynamic_library"),
                flag_group(flags = ["-Wl,-no-whole-archive"], expand_if_true = "libraries_to_link.is_whole_archive"),
                _libraries(["-Wl,--end-lib"], "object_file_group"),
            ],
        )],
    )],
)

_USER_LINK_FLAGS = feature(
    name = "user_link_flags",
    enabled = True,
    flag_sets = [flag_set(
        actions = _LINK,
        flag_groups = [flag_group(
            expand_if_available = "user_link_flags",
            flags = ["%{user_link_flags}"],
            iterate_over = "user_link_flags",
        )],
    )],
)

def _features():
    return [
        feature(name = "dbg"),
        feature(name = "opt"),
        feature(name = "supports_dynamic_linker", enabled = True),
        feature(name = "supports_pic", enabled = True),
        feature(name = "supports_start_end_lib", enabled = True),
        feature(
            name = "default_compile_flags",
            enabled = True,
            flag_sets = [
                _flags(_COMPILE, [
                    "-U_FORTIFY_SOURCE",
                    "-fstack-protector",
                    "-Wall",
                    "-Wunused-but-set-parameter",
                    "-Wno-free-nonheap-object",
                    "-fno-omit-frame-pointer",
                ]),
                _flags(_COMPILE, ["-g"], "dbg"),
                _flags(_COMPILE, [
                    "-g0",
                    "-O2",
                    "-D_FORTIFY_SOURCE=1",
                    "-DNDEBUG",
                    "-ffunction-sections",
                    "-fdata-sections",
                ], "opt"),
            ],
        ),
        feature(
            name = "default_link_flags",
            enabled = True,
            flag_sets = [
                _flags(_LINK, [
                    "-fuse-ld=gold",
                    "-Wl,-no-as-needed",
                    "-Wl,-z,relro,-z,now",
                    "-pass-exit-codes",
                ]),
                _flags(_LINK, ["-Wl,--gc-sections"], "opt"),
            ],
        ),
        # For a target that asks for it: a library goes without those that it does not use.
        feature(name = "as_needed", flag_sets = [_flags(_LINK, ["-Wl,-as-needed"])]),
        _LIBRARIES_TO_LINK,
        _USER_LINK_FLAGS,
        feature(
            name = "standard_libraries",
            enabled = True,
            flag_sets = [_flags(_LINK, ["-lstdc++", "-lm"])],
        ),
        feature(
            name = "user_compile_flags",
            enabled = True,
            flag_sets = [flag_set(
                actions = _COMPILE,
                flag_groups = [flag_group(
                    expand_if_available = "user_compile_flags",
                    flags = ["%{user_compile_flags}"],
                    iterate_over = "user_compile_flags",
                )],
            )],
        ),
        feature(
            name = "unfiltered_compile_flags",
            enabled = True,
            flag_sets = [_flags(_COMPILE, [
                # Paths in depfiles and __FILE__ stay relative, dates out of objects.
                "-fno-canonical-system-headers",
                "-Wno-builtin-macro-redefined",
                "-D__DATE__=\"redacted\"",
                "-D__TIMESTAMP__=\"redacted\"",
                "-D__TIME__=\"redacted\"",
            ])],
        ),
    ]

def _impl(ctx):
    return cc_common.create_cc_toolchain_config_info(
        ctx = ctx,
        abi_libc_version = "glibc",
        abi_version = "gcc",
        compiler = "gcc",
        cxx_builtin_include_directories = [],
        features = _features(),
        host_system_name = "local",
        target_cpu = "k8",
        target_libc = "glibc",
        target_system_name = "x86_64-linux-gnu",
        tool_paths = [tool_path(name = name, path = "bin/" + name) for name in _TOOLS],
        toolchain_identifier = "pinned_gcc",
    )

cc_toolchain_config = rule(implementation = _impl, provides = [CcToolchainConfigInfo])
