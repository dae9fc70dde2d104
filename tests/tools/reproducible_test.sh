#!/usr/bin/env bash
# With --reproducible a search, a training and an evaluation end with the same bits whichever paths
# of other processors the libraries are told to take, and however many threads.
set -euo pipefail
digits=$PWD/tools/sample_data/digits
tools=$PWD/tools
work=$TEST_TMPDIR
"$tools/pack" --input="$digits/train.tar" --output="$work/data"

# run NAME VARIABLE=VALUE...: the whole job in that environment; prints the hashes of its results.
run() {
  local out=$work/$1
  shift
  env "$@" "$tools/search" --preset=quickstart --reproducible --bits=2,4,8 --layers=3 --derive_layers=3 --batch=16 \
    --image_size=16 --train_fraction=0.03 --search_fraction=0.03 --epochs=2 --train_data="$work/data" \
    --run="$out/search" >"$out.log" 2>&1 || { cat "$out.log" >&2; return 1; }
  grep -q "arithmetic reproducible: MKL COMPATIBLE, ATen AVX2, oneDNN AVX2, 1 thread" "$out/search/log.txt"
  env "$@" "$tools/train" --preset=quickstart --reproducible --architecture="$out/search/architecture.json" \
    --epochs=1 --batch=128 --train_data="$work/data" --run="$out/train" >"$out.log" 2>&1 ||
    { cat "$out.log" >&2; return 1; }
  env "$@" "$tools/evaluate" --reproducible --architecture="$out/train/architecture.json" \
    --weights="$out/train/weights.pt" --test_data="$work/data" >"$out/train/evaluation.txt"
  (cd "$out" && sha256sum search/checkpoints/*/state.pt search/architecture.json train/weights.pt train/evaluation.txt)
}

expected=$(run plain)
echo "$expected"
run lesser ATEN_CPU_CAPABILITY=default MKL_CBWR=AVX2 MKL_ENABLE_INSTRUCTIONS=SSE4_2 ONEDNN_MAX_CPU_ISA=SSE41 \
  OMP_NUM_THREADS=1 | diff <(echo "$expected") -
run avx2 ATEN_CPU_CAPABILITY=avx2 MKL_ENABLE_INSTRUCTIONS=AVX2 ONEDNN_MAX_CPU_ISA=AVX2 OMP_NUM_THREADS=2 |
  diff <(echo "$expected") -
run most ATEN_CPU_CAPABILITY=avx512 MKL_ENABLE_INSTRUCTIONS=AVX512 ONEDNN_MAX_CPU_ISA=ALL OMP_NUM_THREADS=4 |
  diff <(echo "$expected") -

# Without it the log says what computed.
"$tools/train" --preset=quickstart --architecture="$work/plain/search/architecture.json" --epochs=1 --batch=128 \
  --train_data="$work/data" --run="$work/any"
grep -q "arithmetic of this processor: " "$work/any/log.txt"
