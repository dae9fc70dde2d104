#!/usr/bin/env bash
# A program loads the libraries that it was linked with, not those of the same name that lie in
# LD_LIBRARY_PATH (another LibTorch, a cluster's own OpenMPI).
set -euo pipefail
mkdir "$TEST_TMPDIR/other"
for library in libtorch_cpu.so libc10.so libgomp.so.1 libcudart.so.13 libglog.so.1 libmpi.so.40 libjpeg.so.62; do
  echo "no library" >"$TEST_TMPDIR/other/$library"
done
for program in pack search; do
  LD_LIBRARY_PATH=$TEST_TMPDIR/other "tools/$program" --help >"$TEST_TMPDIR/out" 2>&1 || true
  grep -q -- -train_data "$TEST_TMPDIR/out" || grep -q -- -input "$TEST_TMPDIR/out" || {
    cat "$TEST_TMPDIR/out"
    exit 1
  }
done
