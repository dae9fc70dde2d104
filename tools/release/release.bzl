"""release_archive: programs and all they need to run elsewhere, in one tar file."""

def _place(file):
    """Where a program's runtime file lies in the archive."""
    if file.path.startswith("external/openmpi/"):
        return "openmpi/" + file.path[len("external/openmpi/"):]
    if ".so" in file.basename:
        return "lib/" + file.basename
    fail("tools/release: no place for %s" % file.path)

def _impl(ctx):
    archive = ctx.actions.declare_file(ctx.label.name + ".tar")
    sources = {}  # place -> file
    for target, place in ctx.attr.files.items():
        sources[place] = target.files.to_list()[0]
    for target, folder in ctx.attr.folders.items():
        for file in target.files.to_list():
            sources[folder + "/" + file.basename] = file
    runtime = []
    for program in ctx.attr.programs:
        executable = program[DefaultInfo].files_to_run.executable
        sources["bin/" + program.label.name] = executable
        runtime.append(program[DefaultInfo].default_runfiles.files)
    programs = [p.path for place, p in sources.items() if place.startswith("bin/")]
    for file in depset(transitive = runtime).to_list():
        if file.path not in programs:
            sources[_place(file)] = file
    for target in ctx.attr.licences:
        for file in target.files.to_list():
            sources["licences/" + file.path.replace("external/", "", 1)] = file

    # What is carried of a repository goes with its licence.
    lines = ["%s\t%s\t%s" % (place, file.path, file.owner.workspace_name) for place, file in sources.items()]
    manifest = ctx.actions.declare_file(ctx.label.name + ".manifest")
    ctx.actions.write(manifest, "\n".join(lines) + "\n")
    ctx.actions.run(
        executable = ctx.executable._pack,
        arguments = [manifest.path, ctx.file._readelf.path, archive.path],
        inputs = depset(sources.values() + [manifest, ctx.file._readelf], transitive = [ctx.attr._tools.files]),
        outputs = [archive],
        mnemonic = "Release",
        progress_message = "Packing %s" % archive.short_path,
        # Half a gigabyte that is made in seconds.
        execution_requirements = {"no-cache": "1"},
        use_default_shell_env = True,
    )
    return [DefaultInfo(files = depset([archive]), runfiles = ctx.runfiles([archive]))]

release_archive = rule(
    implementation = _impl,
    attrs = {
        # C++ programs: bin/NAME, with the libraries that they load.
        "programs": attr.label_list(mandatory = True),
        # Other files and where they lie.
        "files": attr.label_keyed_string_dict(allow_files = True),
        # Files that lie together, and their folder.
        "folders": attr.label_keyed_string_dict(allow_files = True),
        # :licences of every repository that something is carried of.
        "licences": attr.label_list(allow_files = True),
        "_pack": attr.label(default = ":pack_release", executable = True, cfg = "exec"),
        "_readelf": attr.label(default = "@gcc//:bin/readelf", allow_single_file = True),
        "_tools": attr.label(default = "@gcc//:tools"),
    },
)
