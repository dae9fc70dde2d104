#!/usr/bin/env bash
# The main job in little, on two ranks: pack, search, stop and resume, train, evaluate.
set -euo pipefail
digits=$PWD/tools/sample_data/digits
tools=$PWD/tools
two_ranks() { tools/build_defs/mpi_run.sh 2 "$@"; }
work=$TEST_TMPDIR

"$tools/pack" --input="$digits/train.tar" --output="$work/train"
"$tools/pack" --input="$digits/test.tar" --output="$work/test"

search=("$tools/search" --preset=quickstart --layers=3 --derive_layers=3 --batch=16 --image_size=16
  --train_fraction=0.03 --search_fraction=0.03 --epochs=2 --train_data="$work/train" --check_ranks)
search+=(--test_data="$work/test")
two_ranks "${search[@]}" --run="$work/search"
[ "$(grep -c '"kind":"evaluation"' "$work/search/metrics.jsonl")" = 2 ]
grep -q '"genotype":' "$work/search/architecture.json"
grep -q '"kind":"epoch"' "$work/search/metrics.jsonl"
grep -q '"decisiveness":' "$work/search/metrics.jsonl"
grep -q '"decisiveness":' "$work/search/architecture.json"
grep -q '"alpha_lr"' "$work/search/config.json"
grep -q '^  alpha_lr  *0.006$' "$work/search/log.txt"

# Without its last checkpoint the run goes on from the one before and finds the same.
cp -r "$work/search" "$work/resumed"
rm "$work/resumed/architecture.json"
rm -r "$(ls -d "$work"/resumed/checkpoints/step_* | tail -n 1)"
two_ranks "${search[@]}" --run="$work/resumed" --resume=auto
diff "$work/search/architecture.json" "$work/resumed/architecture.json"

# A run folder is not overwritten.
if "${search[@]}" --run="$work/search" 2>"$work/err"; then exit 1; fi
grep -q "holds a run already" "$work/err"

two_ranks "$tools/train" --preset=quickstart --epochs=2 --batch=256 --train_data="$work/train" \
  --test_data="$work/test" --architecture="$work/search/architecture.json" --run="$work/trained"
"$tools/evaluate" --architecture="$work/trained/architecture.json" \
  --weights="$work/trained/weights.pt" --test_data="$work/test" --output="$work/result.json"
grep -q '"accuracy"' "$work/result.json"
"$tools/evaluate" --architecture="$work/trained/architecture.json" \
  --weights="$work/trained/best_weights.pt" --test_data="$work/test" --output="$work/best.json"
python3 - "$work/trained/metrics.jsonl" "$work/best.json" "$work/result.json" <<'END'
import json, sys
accuracies = [line["accuracy"] for line in map(json.loads, open(sys.argv[1])) if line["kind"] == "evaluation"]
best, last = (json.load(open(path))["means"]["accuracy"] for path in sys.argv[2:])
assert len(accuracies) == 2
# Ranks and rounding may make an image or two of 360 another.
assert abs(best - max(accuracies)) < 0.006, (best, accuracies)
assert abs(last - accuracies[-1]) < 0.006, (last, accuracies)
END
