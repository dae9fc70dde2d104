#!/usr/bin/env bash
# gpu_check.sh pack OUT.tar   Builds the CUDA tests and benchmarks here and packs them, without the
#                             LibTorch and CUDA libraries: a few MB.
# gpu_check.sh run FOLDER     On a machine with a GPU and the Python wheel torch==2.11.0 (CUDA 13), but
#                             neither Bazel nor a network: runs what was unpacked into FOLDER (this
#                             script is in there) and prints name, result and seconds. Logs: FOLDER/*.log.
set -euo pipefail

pack() {
  local out targets target binary library stage
  out=$(realpath "$1")
  cd "$(dirname "$0")/.."
  targets=(//quant:quantizers_on_cuda_test //nas/supernet:supernet_cell_test //distributed/training:image_upload_test
    //tests/distributed:communicator_test_binary //distributed/data_parallel:allreduce_benchmark
    //nas/benchmark:search_step_benchmark //data/nvjpeg:nvjpeg_test //data/nvjpeg:nvjpeg_benchmark)
  bazel build --config=cuda "${targets[@]}"
  stage=$(mktemp -d)
  # shellcheck disable=SC2064  # The folder's name is known now.
  trap "rm -rf '$stage'" EXIT
  mkdir "$stage/bin" "$stage/lib"
  cp "$0" "$stage/gpu_check.sh"
  for target in "${targets[@]}"; do
    binary=${target#//}
    binary=bazel-bin/${binary/://}
    strip -o "$stage/bin/$(basename "$binary")" "$binary"
    ldd "$binary" | awk '$3 ~ /_solib_/ { print $3 }' | while read -r library; do
      case $(realpath "$library") in
        */external/libtorch/* | */external/cuda_*) ;;
        *) cp -Ln "$library" "$stage/lib/" ;;
      esac
    done
  done
  tar -cf "$out" -C "$stage" .
  du -h "$out"
}

run() {
  local folder torch failed=0
  folder=$(realpath "$1")
  if ! nvidia-smi -L; then
    echo "no GPU on this machine: nvidia-smi lists none" >&2
    exit 1
  fi
  torch=$(python3 -c 'import importlib.util as u; print(u.find_spec("torch").submodule_search_locations[0])')
  LD_LIBRARY_PATH=$folder/lib:$torch/lib:$(printf "%s:" "${torch%/*}"/nvidia/*/lib)${LD_LIBRARY_PATH:-}
  export LD_LIBRARY_PATH

  # check NAME ARGUMENT...: a test that skips for want of a device has not passed.
  check() {
    local name=$1 log=$folder/$1.log start=$SECONDS result=passed
    shift
    if ! "$folder/bin/$name" "$@" >"$log" 2>&1; then
      result=FAILED failed=1
    elif grep -q SKIPPED "$log"; then
      result=SKIPPED failed=1
    fi
    printf '%-28s %-8s %5d s\n' "$name" "$result" $((SECONDS - start))
  }
  check quantizers_on_cuda_test
  check supernet_cell_test --gtest_filter='*OnCuda*'
  check image_upload_test
  check communicator_test_binary --cuda
  check allreduce_benchmark --cuda
  check nvjpeg_test
  check nvjpeg_benchmark
  check search_step_benchmark --device=cuda
  grep -h "levels\|by nvJPEG\|no such backend" "$folder/nvjpeg_test.log" || true
  cat "$folder/allreduce_benchmark.log" "$folder/nvjpeg_benchmark.log" "$folder/search_step_benchmark.log"
  exit "$failed"
}

case ${1:-} in
  pack | run) "$1" "${2:?usage: gpu_check.sh pack OUT.tar | run FOLDER}" ;;
  *)
    echo "usage: gpu_check.sh pack OUT.tar | run FOLDER" >&2
    exit 2
    ;;
esac
