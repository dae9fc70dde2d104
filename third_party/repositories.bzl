"""Every dependency, each from packages pinned by sha256 in deb_lock.json or wheel_lock.json."""

load("//third_party/bazel_stubs:repositories.bzl", "bazel_implicit_repositories")
load("//third_party/repo_rules:deb.bzl", "deb_archive")
load("//third_party/repo_rules:wheel.bzl", "wheel_archive")

_DEBS = {
    "absl": ["libabsl-dev", "libabsl20220623"],
    "benchmark": ["libbenchmark-dev", "libbenchmark1debian"],
    "glog": ["libgoogle-glog-dev", "libgoogle-glog0v6", "libgflags-dev", "libgflags2.2", "libunwind8", "liblzma5"],
    "gtest": ["googletest", "libgtest-dev", "libgmock-dev"],
    "jpeg": ["libturbojpeg0-dev", "libturbojpeg0", "libjpeg62-turbo-dev", "libjpeg62-turbo"],
    "json": ["nlohmann-json3-dev"],
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
    "png": ["libpng-dev", "zlib1g-dev"],
    "xxhash": ["libxxhash-dev"],
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
}

def nqdarts_dependencies():
    bazel_implicit_repositories()
    for name, packages in _DEBS.items():
        deb_archive(
            name = name,
            build_file = "//third_party/{0}:{0}.BUILD".format(name),
            packages = packages,
        )
    for name, packages in _WHEELS.items():
        wheel_archive(
            name = name,
            build_file = "//third_party/{0}:{0}.BUILD".format(name),
            packages = packages,
        )
