#!/usr/bin/env bash
# Each network whose structure is given, at the least images that it takes, or 32 pixels: a step of training at some bits,
# evaluated and exported, with the same logits outside of LibTorch.
set -euo pipefail
digits=$PWD/tools/sample_data/digits
tools=$PWD/tools
cd "$TEST_TMPDIR"
[ -z "${TEST_SHARD_STATUS_FILE:-}" ] || touch "$TEST_SHARD_STATUS_FILE"
mkdir all
tar -xf "$digits/test.tar" -C all
for class in all/*/; do ls -d "$class"* | tail -n +4 | xargs rm; done  # 3 of each.

number=0
for network in {edmips_,}{resnet18,resnet50,googlenet,inception_v3}; do
  [ $((number++ % ${TEST_TOTAL_SHARDS:-1})) = "${TEST_SHARD_INDEX:-0}" ] || continue
  case $network in
    *inception*) side=75 ;;
    *googlenet) side=31 ;;
    *) side=32 ;;
  esac
  common=(--network=$network --images=imagenet)
  if [ $side != 32 ]; then
    if "$tools/train" "${common[@]}" --image_size=$((side - 1)) --train_data=all --run=run 2>err; then exit 1; fi
    grep -q "is $((side - 1)); this network takes images of $side pixels a side or more" err
  fi
  "$tools/train" "${common[@]}" --image_size=$side --train_data=all --batch=30 --epochs=1 --abits=3 --wbits=2 \
    --run=run
  exported=(--network=run/network.json --weights=run/weights.pt)
  "$tools/evaluate" "${exported[@]}" --test_data=all --exact_sums >evaluated
  "$tools/export" "${exported[@]}" --output=network.nqn --check_data=all >checked
  grep -q "exact sums  0 of [0-9]* levels, 0 of 30 classes differ" checked || { cat checked; exit 1; }
  "$tools/predict" network.nqn --data=all >predicted
  grep -qxF "$(head -n 1 predicted)" evaluated || { cat evaluated predicted; exit 1; }
  rm -r run network.nqn
done
