#!/usr/bin/env bash
# A network is trained, exported and run without LibTorch: as accurate as the exact sums of evaluate; and
# what cannot be exported or run says so in a line.
set -uo pipefail
digits=$PWD/tools/sample_data/digits
tools=$PWD/tools
cd "$TEST_TMPDIR"
failures=0
fail() {
  echo "$*"
  failures=$((failures + 1))
}

# expect TEXT COMMAND...: fails, with one line on stderr that contains TEXT.
expect() {
  local text=$1 status
  shift
  "$@" >out 2>err
  status=$?
  if [ "$status" = 0 ] || [ "$(wc -l <err)" != 1 ] || ! grep -qF -- "$text" err; then
    fail "exit $status, expected one line with '$text' from: $*"
    cat err
  fi
}

mkdir images
tar -xf "$digits/test.tar" -C images
train=("$tools/train" --train_data="$digits/train.tar" --architecture=PC_DARTS_cifar --channels=4 --layers=3 --auxiliary=false
  --batch=32 --epochs=1)
for bits in "2 4" "8 8"; do
  read -r abits wbits <<<"$bits"
  run=run$abits$wbits
  "${train[@]}" --abits="$abits" --wbits="$wbits" --eight_bit=symmetric --run="$run" >/dev/null 2>&1 || exit 1
  network=(--architecture="$run/architecture.json" --weights="$run/weights.pt")
  "$tools/export" "${network[@]}" --data="$digits/test.tar" --output="$run.nqn" \
    --check_data="$digits/test.tar" >checked || exit 1
  cat checked
  grep -q "exact sums  0 of [0-9]* levels, 0 of 360 classes differ" checked || fail "$bits bits: levels differ"
  "$tools/evaluate" "${network[@]}" --test_data="$digits/test.tar" --batch=60 --exact_sums >evaluated || exit 1
  "$tools/predict" "$run.nqn" --data="$digits/test.tar" >predicted || exit 1
  "$tools/predict" "$run.nqn" --data="$digits/test.tar" --threads=3 | diff predicted - || fail "threads count"
  cat predicted
  grep -qF "$(head -1 predicted)" evaluated || fail "$bits bits: $(head -1 evaluated) but $(head -1 predicted)"
  # The mean over images is in another order.
  cat evaluated predicted | awk '$1 == "loss" { loss[++n] = $2 } END { d = loss[1] - loss[2]; exit !(n == 2 && d * d < 1e-7) }' ||
    fail "$bits bits: $(grep loss evaluated) but $(grep loss predicted)"
done

image=$(find images -name '*.jpg' -o -name '*.png' | sort | head -1)
"$tools/predict" run24.nqn "$image" "$image" --top=2 >out || fail "predict failed"
[ "$(wc -l <out)" = 2 ] && grep -qE "^$image: .* %, .* %$" out || fail "predict printed: $(cat out)"

expect "--format=tflite: must be one of packed, onnx, qonnx" "$tools/export" "${network[@]}" --format=tflite --output=x
for format in onnx qonnx; do
  "$tools/export" "${network[@]}" --format=$format --include_preprocessing --output="$format" | grep -q " bytes; " ||
    fail "no $format"
done
expect "--output: is required" "$tools/export" "${network[@]}"
expect "no_such.pt" "$tools/export" "${network[@]}" --weights=no_such.pt --output=x
expect "--output=none/x: none is no folder" "$tools/export" "${network[@]}" --output=none/x
expect "the range of its 8-bit activations is not known" "$tools/export" "${network[@]}" --output=x \
  --weights="$(ls -d run88/checkpoints/step_* | tail -n 1)"
expect "--architecture=PC_DARTS_cifar: is no architecture file" "$tools/export" "${network[@]}" --output=x \
  --architecture=PC_DARTS_cifar
sed 's/"eight_bit": "symmetric"/"eight_bit": "published"/' run88/architecture.json >published.json
expect "cells.0.preprocess0.conv: its 8 bits are not symmetric" "$tools/export" --architecture=published.json \
  --weights=run88/weights.pt --output=x
"$tools/export" "${network[@]}" --output=x --dry_run | grep -q "would write [0-9]* bytes to x" || fail "no dry run"
[ -e x ] && fail "something was written"

predict=("$tools/predict" run24.nqn)
expect "a packed network is required" "$tools/predict"
expect "either images or --data" "${predict[@]}"
expect "either images or --data" "${predict[@]}" "$image" --data="$digits/test.tar"
expect "missing.nqn" "$tools/predict" missing.nqn "$image"
expect "run24/weights.pt: is no packed network" "$tools/predict" run24/weights.pt "$image"
head -c 5000 run24.nqn >cut.nqn
expect "cut.nqn: has 5000 bytes, but had" "$tools/predict" cut.nqn "$image"
expect "missing.png" "${predict[@]}" missing.png
"${predict[@]}" --dry_run --data="$digits/test.tar" | grep -q "would evaluate on 360 images" || fail "no dry run"
"${predict[@]}" --dry_run "$image" | grep -q "would predict 1 images" || fail "no dry run"
expect "run24.nqn" "${predict[@]}" run24.nqn
exit "$failures"
