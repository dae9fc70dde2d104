"""python_wheel: Python files and extension modules, with the libraries that these load, as one wheel."""

def _impl(ctx):
    name = "%s-%s" % (ctx.attr.distribution.replace("-", "_"), ctx.attr.version)
    tag = "cp311-cp311-manylinux_2_36_x86_64"  # Debian 12's Python and glibc
    wheel = ctx.actions.declare_file("%s-%s.whl" % (name, tag))
    lines = []  # kind, place in the wheel, path
    inputs = []
    for file in ctx.files.srcs:
        lines.append(("file", file.short_path[file.short_path.find("/nqdarts/") + 1:], file.path))
        inputs.append(file)
    for target, place in ctx.attr.modules.items():
        module = target[DefaultInfo].files.to_list()[0]
        lines.append(("module", place, module.path))
        inputs.append(module)
        for file in target[DefaultInfo].default_runfiles.files.to_list():
            if file != module and ".so" in file.basename:
                lines.append(("library", file.basename, file.path))
                inputs.append(file)
    for target in ctx.attr.licences:
        for file in target.files.to_list():
            lines.append(("licence", file.path.replace("external/", "", 1), file.path))
            inputs.append(file)
    manifest = ctx.actions.declare_file(ctx.label.name + ".manifest")
    ctx.actions.write(manifest, "".join(["\t".join(line) + "\n" for line in lines]))
    metadata = ctx.actions.declare_file(ctx.label.name + ".metadata")
    ctx.actions.write(metadata, "\n".join([
        "Metadata-Version: 2.1",
        "Name: " + ctx.attr.distribution,
        "Version: " + ctx.attr.version,
        "Summary: " + ctx.attr.summary,
        "License: Apache-2.0",
        "Requires-Python: >=3.11,<3.12",
    ] + ["Requires-Dist: " + requirement for requirement in ctx.attr.requires]) + "\n")
    ctx.actions.run(
        executable = ctx.executable._pack,
        arguments = [manifest.path, metadata.path, tag, ctx.file._readelf.path, wheel.path] + ctx.attr.provided,
        inputs = depset(inputs + [manifest, metadata, ctx.file._readelf], transitive = [ctx.attr._tools.files]),
        outputs = [wheel],
        mnemonic = "Wheel",
        progress_message = "Packing %s" % wheel.short_path,
        use_default_shell_env = True,
    )
    return [DefaultInfo(files = depset([wheel]), runfiles = ctx.runfiles([wheel]))]

python_wheel = rule(
    implementation = _impl,
    attrs = {
        "distribution": attr.string(mandatory = True),
        "version": attr.string(mandatory = True),
        "summary": attr.string(mandatory = True),
        # As pip understands them.
        "requires": attr.string_list(),
        # Files of the package's folder nqdarts.
        "srcs": attr.label_list(allow_files = True),
        # cc_binary targets with linkshared, and where they lie.
        "modules": attr.label_keyed_string_dict(),
        # Libraries that are there when a module is loaded, by their names' beginnings.
        "provided": attr.string_list(),
        # :licences of what the modules consist of.
        "licences": attr.label_list(allow_files = True),
        "_pack": attr.label(default = ":pack_wheel", executable = True, cfg = "exec"),
        "_readelf": attr.label(default = "@gcc//:bin/readelf", allow_single_file = True),
        "_tools": attr.label(default = "@gcc//:tools"),
    },
)
