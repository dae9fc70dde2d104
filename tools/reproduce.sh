#!/usr/bin/env bash
# From nothing to a comparison of all methods on data that everybody knows, in one command:
#   tools/reproduce.sh fashion    about two hours on two cores: small networks, an epoch
#   tools/reproduce.sh fashion --full --device=cuda    the published sizes and schedules, for GPUs
# Installs what is missing, fetches Fashion-MNIST and packs it. Stopped, it goes on where it was. More flags go
# to compare (`compare --help`): --seeds, --search_epochs, --launcher, … Results:
# runs/fashion/comparison.{md,json} and report.html.
set -euo pipefail
cd "$(dirname "$0")/.."
[ "${1:-}" = fashion ] || { sed -n '2,7p' "$0"; exit 2; }
shift
jobs=$(nproc)
settings=(--preset=fashion --search_epochs=3 --search_flags="--train_fraction=0.08 --search_fraction=0.08"
  --precision_search_flags="--train_fraction=0.1 --gamma_lr=0.1" --ptq_flags=--calibration_batches=16 --train_epochs=1)
if [ "${1:-}" = --full ]; then
  shift
  jobs=1 # A GPU, or all ranks of --launcher.
  settings=(--preset=cifar --search_epochs=50 --train_epochs=600)
fi
tools/setup.sh
bazel build //tools:all //tools/sample_data:fashion_mnist
tool=bazel-bin/tools
run=runs/fashion
mkdir -p "$run/data"
images=$tool/sample_data/fashion_mnist
for part in train t10k; do
  "$tool/pack" --input="$images/$part-images-idx3-ubyte.gz" --output="$run/data/$part"
done
[ "$jobs" = 1 ] || export OMP_NUM_THREADS=1
compare=("$tool/compare" --train_data="$run/data/train" --test_data="$run/data/t10k" --output="$run" --seeds=2,3,4
  --budget_bits=2.25,2.5,2.75,3.25,3.5 --ptq_methods=linear,minmax,log,tanh --ptq_sweep=8/8,4/4
  --jobs="$jobs" "${settings[@]}" "$@")
"${compare[@]}" --dry_run # A minute, lest a flag be found wrong after an hour.
"${compare[@]}"
"$tool/report" "$run" --output="$run/report.html"
