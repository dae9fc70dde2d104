#!/usr/bin/env python3
"""Writes the source of a library that stands in for CUDA's beneath libtorch_python.so.

  make_stand_in.py NM OUTPUT.c libtorch_python.so LIBRARY...

It defines what the first library needs and none of the others has: functions that say so and abort, and types.
"""

import subprocess
import sys

# Called as torch is imported: it returns a reference to a pointer, which is then set.
CALLED = "_ZN4c10d15get_gil_checkerEv"

HEAD = """\
#include <stdio.h>
#include <stdlib.h>

static void NoCuda(const char* function) {
  fprintf(stderr, "%s: this torch runs without CUDA\\n", function);
  abort();
}
static void Method(void) { NoCuda("a method"); }

extern void* _ZTVN10__cxxabiv117__class_type_infoE[];
"""


def symbols(nm, which, library):
    output = subprocess.run([nm, "-D", which, library], check=True, capture_output=True, text=True).stdout
    for line in output.splitlines():
        kind, name = line.split()[-2:]
        yield kind, name.split("@")[0]


def definition(name):
    if name == CALLED:
        return f"void* {name}(void) {{ static void* checker; return &checker; }}"
    if name.startswith("_ZTI"):  # a std::type_info: its own table of methods, and the name
        return (f'static const char name{name}[] = "{name[len("_ZTI"):]}";\n'
                f"const void* {name}[2];\n"
                f"__attribute__((constructor)) static void Make{name}(void) {{\n"
                f"  {name}[0] = _ZTVN10__cxxabiv117__class_type_infoE + 2;\n  {name}[1] = name{name};\n}}")
    if name.startswith("_ZTV"):
        return f"void (*{name}[64])(void) = {{[0 ... 63] = Method}};"
    return f'void {name}(void) {{ NoCuda("{name}"); }}'


def main():
    nm, output, library, *others = sys.argv[1:]
    defined = {name for other in others for _, name in symbols(nm, "--defined-only", other)}
    needed = {name for kind, name in symbols(nm, "--undefined-only", library) if kind == "U"}
    # What is left is of CUDA, of C or of C++'s own library.
    ours = sorted(name for name in needed - defined
                  if name.startswith(("cu", "_Z")) and not name.startswith(("_ZNSt", "_ZNKSt", "_ZSt", "_ZTVN10__cxxabi"))
                  and any(word in name for word in OF_CUDA))
    with open(output, "w") as file:
        file.write("\n".join([HEAD, *map(definition, ours)]) + "\n")


# In the names of what is needed of CUDA's libraries, and in no name of the standard library.
OF_CUDA = ("2at", "3c10", "4c10d", "3sdp", "5torch", "cuFile", "cudnn")

if __name__ == "__main__":
    main()
