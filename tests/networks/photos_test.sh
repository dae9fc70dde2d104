#!/usr/bin/env bash
# EdMIPS's job in little, on two ranks: photographs at 64 pixels, bits searched for two epochs, the network with them
# trained for two; quantized after training, evaluated, exported, and run.
set -euo pipefail
photos=$PWD/tools/sample_data/photos
tools=$PWD/tools
two_ranks() { tools/build_defs/mpi_run.sh 2 "$@"; }
work=$TEST_TMPDIR
for part in train test; do "$tools/pack" --input="$photos/$part.tar" --output="$work/$part" >/dev/null; done

common=(--preset=edmips_resnet18 --batch=14 --epochs=2 --weight_lr=0.01 --train_data="$work/train" --check_ranks)
two_ranks "$tools/precision_search" "${common[@]}" --image_size=64 --run="$work/search"
grep -q '"layer4.1.conv2": \[[234], [1234]\]' "$work/search/network.json"
two_ranks "$tools/train" "${common[@]}" --network="$work/search/network.json" --test_data="$work/test" --run="$work/train_found"
[ "$(grep -c '"kind":"evaluation"' "$work/train_found/metrics.jsonl")" = 2 ]
trained=(--network="$work/train_found/network.json" --weights="$work/train_found/weights.pt")
two_ranks "$tools/evaluate" "${trained[@]}" --test_data="$work/test" >"$work/two_ranks"
"$tools/evaluate" "${trained[@]}" --test_data="$work/test" --exact_sums >"$work/evaluated"
grep -q "^accuracy .* of 12 images" "$work/two_ranks"

# In float, to be quantized after training.
two_ranks "$tools/train" "${common[@]}" --epochs=1 --image_size=64 --network=resnet18 --run="$work/float"
"$tools/ptq" --network="$work/float/network.json" --weights="$work/float/weights.pt" --test_data="$work/test" --sweep=8/8,4/4 \
  --output="$work/ptq.json"
grep -q '"quantized"' "$work/ptq.json"

"$tools/export" "${trained[@]}" --output="$work/network.nqn" --check_data="$work/test" >"$work/checked"
grep -q "exact sums  0 of [0-9]* levels, 0 of 12 classes differ" "$work/checked"
"$tools/predict" "$work/network.nqn" --data="$work/test" >"$work/predicted"
grep -qxF "$(head -n 1 "$work/predicted")" "$work/evaluated"
tar -xf "$photos/test.tar" -C "$work"
"$tools/predict" "$work/network.nqn" "$work"/coffee/*.jpg | grep -c "% *$\|%" | grep -qx 3
