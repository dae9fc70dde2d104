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

# alike FILE: the measurements on standard input are those of the file. The order of float sums depends on the
# batch, so that one of the 360 images whose logits are tied may come out otherwise; the loss may not.
alike() {
  paste - "$1" | awk '{ print } /accuracy/ { at = $1 == "accuracy" ? 2 : 3; apart = $at - $(at + NF / 2); if (apart * apart > 0.09) bad = 1 }
    /loss/ && $2 != $4 { bad = 1 } END { exit bad || NR != 3 }'
}

ranks=()
expected=$(evaluate --batch=360)
echo "$expected"
for batch in 7 1; do evaluate --batch=$batch | alike <(echo "$expected"); done
ranks=(two_ranks)
evaluate --batch=360 | alike <(echo "$expected")
ranks=()

# As published they depend on the batch.
if [ "$(evaluate --ranges=batch --batch=360)" = "$(evaluate --ranges=batch --batch=7)" ]; then exit 1; fi

# The training's calibration again; another one.
evaluate --batch=64 --calibrate=16 --calibration_data="$work/train" --seed=2 |
  alike <(echo "$expected")
evaluate --batch=64 --calibrate=2 --calibration_data="$work/train" \
  --calibrated_weights="$work/calibrated.pt" >"$work/calibrated"
evaluate --batch=360 --weights="$work/calibrated.pt" | alike "$work/calibrated"

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
