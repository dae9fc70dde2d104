#!/usr/bin/env bash
# From nothing to a comparison of all methods on data that everybody knows, in one command:
#   tools/reproduce.sh fashion           about four hours on two cores: small networks, few epochs
#   tools/reproduce.sh fashion --full    the published sizes and schedules, for GPUs
# Installs what is missing, fetches Fashion-MNIST and packs it. Stopped, it goes on where it was. More flags go
# to compare (`compare --help`): --seeds, --search_epochs, --output, --launcher, … Results:
# runs/fashion/comparison.{md,json} and report.html.
set -euo pipefail
cd "$(dirname "$0")/.."
[ "${1:-}" = fashion ] || { sed -n '2,7p' "$0"; exit 2; }
shift
# By budget, BitOps of the cells.
size=(--preset=fashion --search_epochs=6 --train_epochs=3 --target_bitops=2e7,2.5e7,3e7,4e7,5e7,7e7)
if [ "${1:-}" = --full ]; then
  shift
  size=(--preset=cifar --search_epochs=50 --train_epochs=600 --target_bitops=2e9,3e9,4e9,6e9,8e9,1.2e10)
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
"$tool/compare" --train_data="$run/data/train" --test_data="$run/data/t10k" --output="$run" --seeds=2,3,4 \
  --launcher="$tool/local_mpirun 2" "${size[@]}" "$@"
"$tool/report" "$run" --output="$run/report.html"
