"""Tests and programs in Python, with the pinned packages and the wheels of this repository."""

# The torch that LibTorch comes from, on the CPU, and NumPy.
TORCH = "//third_party/libtorch/without_cuda"
NUMPY = "@python_packages//:packages"

# onnxruntime, onnx and qonnx, with a NumPy of their own.
ONNX = "@onnx_python//:python"

# torchvision's networks, and Pillow, which they import.
TORCHVISION = ["@torchvision//:python", "@pillow//:packages"]

def _shell_rule_arguments(main, data, args):
    return {
        "srcs": ["//tools/build_defs:run_python.sh"],
        "args": ["$(rootpath %s)" % main] + args,
        "data": data + [main],
    }

def python_test(name, data = [], args = [], **kwargs):
    """The sh_test NAME of the script NAME.py: a test by its exit code.

    Args:
      name: of the test.
      data: files that it reads, among them the wheels, which it finds unpacked, TORCH, NUMPY and ONNX.
      args: of the script.
      **kwargs: the others are the sh_test's.
    """
    native.sh_test(name = name, **dict(_shell_rule_arguments(name + ".py", data, args), **kwargs))

def python_program(name, data = [], args = [], **kwargs):
    """The same as an sh_binary."""
    native.sh_binary(name = name, **dict(_shell_rule_arguments(name + ".py", data, args), **kwargs))
