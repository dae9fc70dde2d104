#!/usr/bin/env bash
# The main job, small but whole, on handwritten digits: pack images into shards, search operations and
# bit widths on two ranks, train the network found, train the float PC-DARTS network beside it, compare.
# Installs what is missing. Results: runs/quickstart/.
set -euo pipefail
cd "$(dirname "$0")/.."
tools/setup.sh
bazel build //tools:pack //tools:search //tools:train //tools:evaluate //tools:local_mpirun //tools:report

run=runs/quickstart
if [ -e "$run" ]; then
  kept=$run.$(date -r "$run" +%Y%m%d-%H%M%S)
  mv "$run" "$kept"
  echo "the last results are kept in $kept"
fi
mkdir -p "$run"
start=$(date +%s)
tool=bazel-bin/tools
on_two_ranks=("$tool/local_mpirun" 2)
digits=tools/sample_data/digits
data=(--train_data="$run/data/train" --test_data="$run/data/test")

echo "== pack"
"$tool/pack" --input="$digits/train.tar" --output="$run/data/train"
"$tool/pack" --input="$digits/test.tar" --output="$run/data/test"

echo "== search, bits {2, 4}, on a budget of 95 million BitOps as the published code counts them"
"${on_two_ranks[@]}" "$tool/search" --preset=quickstart --reproducible --train_data="$run/data/train" --run="$run/search" \
  --epochs=8 --alpha_begin=3 --alpha_lr=0.02 --cost_model=published --expected_cost --target_bitops=95
cp "$run/search/architecture.json" "$run/search/metrics.jsonl" "$run/"

echo "== train the network found"
"${on_two_ranks[@]}" "$tool/train" --preset=quickstart --reproducible "${data[@]}" \
  --architecture="$run/architecture.json" --run="$run/train"

echo "== train the float PC-DARTS network"
"${on_two_ranks[@]}" "$tool/train" --preset=quickstart --reproducible "${data[@]}" \
  --architecture=PC_DARTS_cifar --run="$run/float"

evaluate() {
  "$tool/evaluate" --reproducible --architecture="$1/architecture.json" --weights="$1/weights.pt" \
    --test_data="$run/data/test" --output="$1/evaluation.json"
}
{
  echo "== mixed precision, as searched"
  evaluate "$run/train"
  echo
  echo "== float PC-DARTS"
  evaluate "$run/float"
} | tee "$run/summary.txt"
echo
echo "== report"
"$tool/report" "$run/search" "$run/train" "$run/float" --output="$run/report.html"
echo "$(($(date +%s) - start)) s after the build; results in $run"
