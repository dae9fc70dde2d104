#!/usr/bin/env bash
# What may go wrong with a training, through the tool: it diverges, its images are damaged or others than before,
# its folder is somebody else's, it is stopped. Nothing is lost, and every end is told by a line and a status.
set -uo pipefail
digits=$PWD/tools/sample_data/digits
tools=$PWD/tools
start=$PWD
on_ranks() { (cd "$start" && tools/build_defs/mpi_run.sh "$1" -wdir "$TEST_TMPDIR" "${@:2}"); }
cd "$TEST_TMPDIR"
fail() {
  echo "FAILED: $*"
  cat out
  exit 1
}

# Eight images of each class.
tar -xf "$digits/train.tar"
for class in [0-9]*/; do
  mkdir -p "data/$class"
  for image in $(ls "$class" | head -n 8); do cp "$class$image" "data/$class"; done
done

network=(--architecture=PC_DARTS_cifar --channels=4 --layers=3 --auxiliary=false --image_size=32)
train=("$tools/train" "${network[@]}" --batch=16 --report_steps=1 --train_data=data)

# ends STATUS TEXT COMMAND...: the command ends with this status and says this.
ends() {
  local expected=$1 text=$2 status
  shift 2
  "$@" >out 2>&1
  status=$?
  [ "$status" = "$expected" ] || fail "status $status of: $*"
  grep -q -- "$text" out || fail "no '$text' from: $*"
}

# A run that diverges ends there, and can be resumed from where it was sound.
ends 1 "epoch [12]/4 step [1-5]/5: .*\(nan\|inf\|finite\)" \
  "${train[@]}" --epochs=4 --weight_lr=1e20 --grad_clip=1e30 --checkpoint_steps=1 --run=diverged
grep -q null diverged/metrics.jsonl && fail "the metrics hold what is no number"
[ -e diverged/weights.pt ] && fail "it has a result"

# Stopped by a signal: a status of its own, so that nothing builds on it; then to its end.
"${train[@]}" --epochs=1000 --run=stopped >out 2>&1 &
until grep -q "epoch 1/1000 step 3" out; do sleep 0.05; done
kill -INT $!
wait $!
[ $? = 75 ] || fail "stopped with another status"
grep -q "train: stopped by a signal before epoch .* to be resumed" out || fail "it does not say so"
[ -e stopped/weights.pt ] && fail "a stopped run has a result"

# Somebody else's folder, and a run that goes on.
mkdir own && echo mine >own/config.json
ends 1 "own/config.json is not that of a run" "${train[@]}" --run=own
[ "$(cat own/config.json)" = mine ] || fail "it was overwritten"
ends 1 "no checkpoint's folder" "${train[@]}" --run=new/run --resume=/nonexistent
[ -e new ] && fail "a refused start leaves a folder"
"${train[@]}" --epochs=1000 --run=shared >first 2>&1 &
until grep -q "epoch 1/1000 step 2" first; do sleep 0.05; done
ends 1 "shared: a run goes on here, of process $! on " "${train[@]}" --epochs=1000 --run=shared --seed=9
kill $!
wait $!
[ $? = 75 ] || fail "the first run was disturbed"

# The build that wrote the architecture does not decide; its shape does. So do the images, by content.
ends 0 "epoch 1/1 step 5/5" "${train[@]}" --epochs=1 --run=first_epoch
cp -r first_epoch resumed
sed 's/"build_id": "[^"]*"/"build_id": "another"/' first_epoch/architecture.json >rebuilt.json
again=("$tools/train" --architecture=rebuilt.json --batch=16 --epochs=1 --resume=auto --run=resumed)
ends 0 "resumed after 5 steps" "${again[@]}" --train_data=data
sed -i 's/"channels": 4/"channels": 8/' rebuilt.json
ends 1 "cannot resume: config/architecture/network/channels is 4 in the checkpoint, 8 now" \
  "${again[@]}" --train_data=data
cp -r data moved
ends 0 "resumed after 5 steps" "${train[@]}" --epochs=1 --resume=auto --run=resumed --train_data=moved
image=$(ls moved/3/* | head -n 1)
cp "$(ls moved/3/* | tail -n 1)" "$image"
ends 1 "cannot resume: data/train/content is" \
  "${train[@]}" --epochs=1 --resume=auto --run=resumed --train_data=moved

# 72 of 80 images damaged. (The first of two ranks has nothing left to evaluate.)
cp -r data damaged
for class in 0 1 2 3 4 5 6 7 8; do
  for image in damaged/$class/*; do printf x >"$image"; done
done
skip=(--on_bad_sample=skip --train_data=damaged)
ends 1 "bad\|damaged\|JPEG" "${train[@]}" --epochs=1 --train_data=damaged --run=refused
ends 1 "samples are damaged, of which 20 may be left out" \
  "${train[@]}" "${skip[@]}" --epochs=1 --run=bounded --max_bad_samples=20
for ranks in 1 2; do
  ends 0 "72 damaged samples were left out: skipped$ranks/bad_samples.jsonl" \
    on_ranks "$ranks" "${train[@]}" "${skip[@]}" --epochs=1 --run="skipped$ranks"
  [ "$(wc -l <"skipped$ranks/bad_samples.jsonl")" = 72 ] || fail "not all are listed"
  grep -q '"bad_samples":72' "skipped$ranks/metrics.jsonl" || fail "the metrics do not count them"
  ends 0 "of 8 images" on_ranks "$ranks" "$tools/evaluate" --architecture=first_epoch/architecture.json \
    --weights=first_epoch/weights.pt --test_data=damaged --on_bad_sample=skip --batch=80
  grep -q "left out  *72 of 80 images" out || fail "evaluate does not say how many were judged"
done

# Nothing is left.
for image in damaged/9/*; do printf x >"$image"; done
ends 1 "no batch of an epoch has a sample that is whole" "${train[@]}" "${skip[@]}" --epochs=1 --run=nothing
evaluate=("$tools/evaluate" --architecture=first_epoch/architecture.json --weights=first_epoch/weights.pt)
for ranks in 1 2; do
  ends 1 "none of the 80 samples can be judged" \
    on_ranks "$ranks" "${evaluate[@]}" --test_data=damaged --on_bad_sample=skip --batch=16
done
