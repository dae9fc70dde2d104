#!/usr/bin/env bash
# Networks with 8-bit activations evaluate alike whatever the batch and the number of ranks, and so
# do networks that are quantized after training.
set -euo pipefail
digits=$PWD/tools/sample_data/digits
tools=$PWD/tools
two_ranks() { tools/build_defs/mpi_run.sh 2 "$@"; }
work=$TEST_TMPDIR
"$tools/pack" --input="$digits/train.tar" --output="$work/train"
"$tools/pack" --input="$digits/test.tar" --output="$work/test"

network=(--architecture=PC_DARTS_cifar --channels=4 --layers=3 --auxiliary=false --image_size=16)
train() {
  two_ranks "$tools/train" --preset=quickstart --reproducible "${network[@]}" --epochs=2 --batch=64 \
    --train_data="$work/train" "$@"
}
train --abits=8 --wbits=8 --run="$work/eight"
train --run="$work/float"

# Accuracy and loss: of the trained network with the given flags.
evaluate() {
  "${ranks[@]}" "$tools/evaluate" --reproducible --architecture="$work/eight/architecture.json" \
    --weights="$work/eight/weights.pt" --test_data="$work/test" "$@" 2>"$work/err" | grep "accuracy \|loss"
}
ranks=()
expected=$(evaluate --batch=360)
echo "$expected"
for batch in 7 1; do evaluate --batch=$batch | diff <(echo "$expected") -; done
ranks=(two_ranks)
evaluate --batch=360 | diff <(echo "$expected") -
ranks=()

# As published they depend on the batch.
if [ "$(evaluate --ranges=batch --batch=360)" = "$(evaluate --ranges=batch --batch=7)" ]; then exit 1; fi

# The training's calibration again; another one.
evaluate --batch=64 --calibrate=16 --calibration_data="$work/train" --seed=2 --padding=2 --flip=false |
  diff <(echo "$expected") -
evaluate --batch=64 --calibrate=2 --calibration_data="$work/train" \
  --calibrated_weights="$work/calibrated.pt" >"$work/calibrated"
evaluate --batch=360 --weights="$work/calibrated.pt" | diff "$work/calibrated" -

# What has no ranges says so.
for tool in evaluate ptq; do
  if "$tools/$tool" --architecture="$work/eight/architecture.json" --test_data="$work/test" \
    --weights="$(ls -d "$work"/eight/checkpoints/step_* | tail -n 1)" 2>"$work/err"; then exit 1; fi
  grep -q -- "has no ranges of the 8-bit activations: evaluate --calibrate finds them" "$work/err"
done

# The same table from one and from two ranks.
ptq=("$tools/ptq" --reproducible --architecture="$work/float/architecture.json" --batch=120
  --weights="$work/float/weights.pt" --test_data="$work/test" --methods=linear,minmax,log,tanh --sweep=4/8)
"${ptq[@]}" | tee "$work/one"
two_ranks "${ptq[@]}" | diff "$work/one" -
"${ptq[@]}" --ranges=batch --methods=minmax >"$work/published"
if diff "$work/one" "$work/published"; then exit 1; fi
