"""Every dependency, each from packages pinned by sha256 in deb_lock.json or wheel_lock.json."""

load("//third_party/bazel_stubs:repositories.bzl", "bazel_implicit_repositories")
load("//third_party/repo_rules:deb.bzl", "deb_archive")
load("//third_party/repo_rules:wheel.bzl", "wheel_archive")

_DEBS = {
    "absl": ["libabsl-dev", "libabsl20220623"],
    "benchmark": ["libbenchmark-dev", "libbenchmark1debian"],
    "common_licences": ["base-files"],
    # libcurl, and all that it loads.
    "curl": [
        "libcurl4-openssl-dev",
        "libcurl4",
        "libbrotli1",
        "libcom-err2",
        "libffi8",
        "libgmp10",
        "libgnutls30",
        "libgssapi-krb5-2",
        "libhogweed6",
        "libidn2-0",
        "libk5crypto3",
        "libkeyutils1",
        "libkrb5-3",
        "libkrb5support0",
        "libldap-2.5-0",
        "libnettle8",
        "libnghttp2-14",
        "libp11-kit0",
        "libpsl5",
        "librtmp1",
        "libsasl2-2",
        "libssh2-1",
        "libssl-dev",
        "libssl3",
        "libtasn1-6",
        "libunistring2",
        "libzstd1",
    ],
    "fashion_mnist": ["dataset-fashion-mnist"],
    "gcc": [
        "gcc-12",
        "g++-12",
        "cpp-12",
        "libgcc-12-dev",
        "libgcc-s1",
        "libstdc++-12-dev",
        "libstdc++6",
        "binutils",
        "binutils-x86-64-linux-gnu",
        "libbinutils",
        "libctf0",
        "libctf-nobfd0",
        "libgmp10",
        "libisl23",
        "libjansson4",
        "libmpc3",
        "libmpfr6",
        "libzstd1",
        "zlib1g",
    ],
    "glog": ["libgoogle-glog-dev", "libgoogle-glog0v6", "libgflags-dev", "libgflags2.2", "libunwind8", "liblzma5"],
    "gtest": ["googletest", "libgtest-dev", "libgmock-dev"],
    "highway": ["libhwy-dev", "libhwy1"],
    "jpeg": ["libturbojpeg0-dev", "libturbojpeg0", "libjpeg62-turbo-dev", "libjpeg62-turbo"],
    "json": ["nlohmann-json3-dev"],
    # A web server and what makes its certificates, for tests alone.
    "nginx": ["nginx", "libcrypt1", "libpcre2-8-0", "libssl3", "openssl", "zlib1g"],
    "openmpi": [
        "libopenmpi-dev",
        "libopenmpi3",
        "openmpi-bin",
        "openmpi-common",
        "libhwloc15",
        "libevent-core-2.1-7",
        "libevent-pthreads-2.1-7",
        "libudev1",
        "zlib1g",
        "libpmix2",
        "libmunge2",
        "libnl-3-200",
        "libnl-route-3-200",
    ],
    "png": ["libpng-dev", "libpng16-16", "zlib1g-dev", "zlib1g"],
    "protozero": ["libprotozero-dev"],
    "python": ["libpython3.11-dev"],
    "sysroot": ["libc6", "libc6-dev", "linux-libc-dev"],
    "xxhash": ["libxxhash-dev"],
}

_GCC_TOOLS = ["ar", "cpp", "dwp", "gcc", "gcov", "ld", "nm", "objcopy", "objdump", "readelf", "strip"]

# How the unpacked packages are changed.
_CHANGES = {
    "gcc": {
        "executables": {"//third_party/gcc:tool.sh": "bin/tool.sh"},
        # Copies: what follows symlinks would call tool.sh by its own name.
        "patch_cmds": ["cp bin/tool.sh bin/" + tool for tool in _GCC_TOOLS] + ["rm bin/tool.sh"],
    },
    # Without the absolute paths that they name, the linker searches its own libraries alone.
    "sysroot": {"patch_cmds": ["cd usr/lib/x86_64-linux-gnu; sed -i 's, /[^ ]*/, ,g' libc.so libm.so"]},
}

_WHEELS = {
    # libtorch_cpu.so needs these two even where no GPU is.
    "cuda_runtime": ["nvidia-cuda-cupti", "nvidia-cuda-runtime"],
    # Fetched by --config=cuda only.
    "cuda_nvcc": [
        "nvidia-cuda-nvcc",
        "nvidia-nvvm",
        "nvidia-cuda-crt",
        "nvidia-cuda-cccl",
        "nvidia-nvtx",
        "nvidia-cuda-profiler-api",
        "nvidia-cuda-runtime",
    ],
    "cuda_libs": [
        "nvidia-cublas",
        "nvidia-cudnn-cu13",
        "nvidia-cufft",
        "nvidia-curand",
        "nvidia-cusolver",
        "nvidia-cusparse",
        "nvidia-nccl-cu13",
        "nvidia-nvjitlink",
        "nvidia-cuda-nvrtc",
        "nvidia-cufile",
        "nvidia-cusparselt-cu13",
        "nvidia-nvshmem-cu13",
    ],
    "libtorch": ["torch"],
    # With CUDA only; apart from cuda_libs, whose gigabytes a program that decodes does not need.
    "nvjpeg": ["nvidia-nvjpeg"],
    # For tests alone: a server of S3's kind, with what it imports.
    "moto": [
        "moto",
        "Flask",
        "Jinja2",
        "MarkupSafe",
        "PyYAML",
        "Werkzeug",
        "blinker",
        "boto3",
        "botocore",
        "certifi",
        "charset-normalizer",
        "click",
        "flask-cors",
        "idna",
        "itsdangerous",
        "jmespath",
        "python-dateutil",
        "requests",
        "responses",
        "s3transfer",
        "six",
        "urllib3",
        "xmltodict",
    ],
    "nanobind": ["nanobind"],
    # Measured against by a benchmark.
    "pillow": ["pillow"],
    # NumPy, and what the torch of the wheel imports.
    "python_packages": [
        "numpy",
        "filelock",
        "fsspec",
        "Jinja2",
        "MarkupSafe",
        "mpmath",
        "networkx",
        "sympy",
        "typing_extensions",
    ],
    # For tests and a benchmark alone: ONNX's checker, onnxruntime and QONNX's executor, with what they import.
    "onnx_python": ["onnx", "onnxruntime", "qonnx", "flatbuffers", "ml_dtypes", "numpy", "packaging", "protobuf", "toposort", "typing_extensions"],
    # For tests alone: TensorBoard's reader with what it imports.
    "tensorboard": ["tensorboard", "protobuf", "numpy", "packaging", "absl-py"],
    # For a test alone: its networks, which import Pillow.
    "torchvision": ["torchvision"],
}

def nqdarts_dependencies():
    bazel_implicit_repositories()
    for name, packages in _DEBS.items():
        deb_archive(
            name = name,
            build_file = "//third_party/{0}:{0}.BUILD".format(name),
            packages = packages,
            **_CHANGES.get(name, {})
        )
    native.register_toolchains("@gcc//:toolchain")
    for name, packages in _WHEELS.items():
        wheel_archive(
            name = name,
            build_file = "//third_party/{0}:{0}.BUILD".format(name),
            packages = packages,
        )
