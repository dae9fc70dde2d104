#!/usr/bin/env bash
# Three budgets on the digits for each search that is steered, and one for draws: what is derived costs within a tenth of
# them, and says so.
set -euo pipefail
digits=$PWD/tools/sample_data/digits
tools=$PWD/tools
work=$TEST_TMPDIR
"$tools/pack" --input="$digits/train.tar" --output="$work/data"

# meets PROGRAM ARGUMENT...: runs it and checks what it says of the network found.
meets() {
  local excess
  "$@" 2>&1 | tee "$work/log"
  excess=$(sed -n 's/.*the network found costs \([0-9.]*\) times its budget.*/\1/p' "$work/log")
  awk -v excess="$excess" 'BEGIN { exit !(excess >= 0.9 && excess <= 1.1) }'
}

common=(--preset=quickstart --image_size=16 --train_data="$work/data")
for compression in 200 120 80; do
  meets "$tools/search" "${common[@]}" --layers=3 --derive_layers=3 --epochs=3 --batch=16 \
    --train_fraction=0.1 --search_fraction=0.1 --target_compression="$compression" \
    --run="$work/qdarts_$compression"
  meets "$tools/precision_search" "${common[@]}" --architecture=PC_DARTS_cifar --layers=3 --epochs=2 \
    --batch=32 --target_compression="$compression" --run="$work/qsubnet_$compression"
done

# So do random networks, of which each seed draws another.
for seed in 1 2; do
  meets "$tools/search" "${common[@]}" --layers=3 --derive_layers=3 --batch=16 --random --seed="$seed" \
    --target_compression=120 --run="$work/random_$seed"
done
if diff -q <(grep genotype -A2 "$work/random_1/architecture.json") <(grep genotype -A2 "$work/random_2/architecture.json"); then
  exit 1
fi
