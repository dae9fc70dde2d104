#!/usr/bin/env bash
# The comparison in little, with the real tools on two ranks: every method, a budget, going on after a stop;
# then post-training quantization of a checkpoint, and bits for the stem.
set -euo pipefail
digits=$PWD/tools/sample_data/digits
tools=$PWD/tools
work=$TEST_TMPDIR
"$tools/pack" --input="$digits/test.tar" --output="$work/data"

compare=("$tools/compare" --tools="$tools" --train_data="$work/data" --test_data="$work/data"
  --output="$work/runs" --preset=quickstart --seeds=2 --search_epochs=1 --train_epochs=1
  --search_flags="--layers=3 --derive_layers=3 --image_size=16 --batch=16
    --train_fraction=0.1 --search_fraction=0.1"
  --ptq_sweep=8/8,2/2 --budget_bits=2.5 --jobs=2
  --launcher="$PWD/tools/build_defs/mpi_run.sh 2")
"${compare[@]}"
for method in SubNet "PTQ 8/8" "PTQ 2/2" "FBQAT 2/2" "FBQAT 4/4" QSubNet QDARTS; do
  grep -q "^| $method" "$work/runs/comparison.md"
done
grep -q "^| 0.*QSubNet" "$work/runs/comparison.md"

# Only what lacks its result runs again: one training, from its checkpoint, and its evaluation.
rm "$work/runs/seed2/qdarts24/weights.pt" "$work/runs/seed2/qdarts24/evaluation/evaluation.json"
cp "$work/runs/comparison.md" "$work/before.md"
"${compare[@]}" >"$work/out"
[ "$(grep -c '^== ' "$work/out")" = 2 ]
diff <(cut -d'|' -f1-7 "$work/before.md") <(cut -d'|' -f1-7 "$work/runs/comparison.md")

subnet=$work/runs/seed2/subnet
"$tools/ptq" --architecture="$subnet/architecture.json" --test_data="$work/data" \
  --weights="$(ls -d "$subnet"/checkpoints/step_* | tail -n 1)" \
  --methods=linear,minmax,log,tanh --sweep=8/8,32/4 --overflow_rate=0.01 >"$work/sweep"
[ "$(wc -l <"$work/sweep")" = 11 ]
tail -n 1 "$work/sweep" | grep -q "^arithmetic "
# The checkpoint and the weight file are the same network.
"$tools/ptq" --architecture="$subnet/architecture.json" --test_data="$work/data" \
  --weights="$subnet/weights.pt" --sweep=8/8 --overflow_rate=0.01 >"$work/of_file"
diff <(head -n 3 "$work/sweep") <(head -n 3 "$work/of_file")

"$tools/precision_search" --preset=quickstart --architecture="$subnet/architecture.json" --quantize_stem \
  --initial_weights="$subnet/weights.pt" --epochs=1 --batch=64 --target_compression=120 \
  --train_data="$work/data" --run="$work/qsubnet"
grep -q '"stem.0"' "$work/qsubnet/architecture.json"

# The default preset in little: CIFAR's settings for every method.
"$tools/compare" --tools="$tools" --train_data="$work/data" --test_data="$work/data" --output="$work/cifar" \
  --seeds=2 --search_epochs=1 --train_epochs=1 --ptq_sweep=8/8 \
  --search_flags="--layers=3 --channels=8 --derive_layers=3 --derive_channels=4 --derive_auxiliary=false
    --image_size=16 --batch=16 --alpha_begin=0 --train_fraction=0.1 --search_fraction=0.1"
for method in SubNet PTQ "FBQAT 2/2" QSubNet QDARTS; do
  grep -q "^| $method" "$work/cifar/comparison.md"
done

# Of a network that is given.
"$tools/compare" --tools="$tools" --train_data="$work/data" --test_data="$work/data" --output="$work/given" \
  --network=resnet18 --preset=quickstart --seeds=2 --budget_bits=2 --dry_run >"$work/dry"
grep -qx "would run 27 steps in $work/given" "$work/dry"
grep -q "differentiable_search .*--target_compression=113" "$work/dry"
