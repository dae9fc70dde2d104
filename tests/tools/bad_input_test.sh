#!/usr/bin/env bash
# Bad flags and files end a tool with one line that names what and where, a non-zero exit, and no run
# folder.
set -uo pipefail
digits=$PWD/tools/sample_data/digits
tools=$PWD/tools
cd "$TEST_TMPDIR"
failures=0

# expect TEXT COMMAND...: fails, with one line on stderr that contains TEXT, leaving no run folder.
expect() {
  local text=$1 status
  shift
  "$@" >out 2>err
  status=$?
  if [ "$status" = 0 ] || [ "$(wc -l <err)" != 1 ] || ! grep -qF -- "$text" err || [ -e run ]; then
    echo "exit $status, expected one line with '$text' from: $*"
    cat err
    failures=$((failures + 1))
  fi
  rm -rf run
}

"$tools/pack" --input="$digits/train.tar" --output=shards >/dev/null || exit 1
search=("$tools/search" --preset=quickstart --train_data=shards)
train=("$tools/train" --preset=quickstart --train_data=shards --run=run)

expect "--run: the run folder is required" "${search[@]}"
search+=(--run=run)
expect "--train_data: the path of the images is required" "${search[@]}" --train_data=
expect "no_such_folder" "${search[@]}" --train_data=no_such_folder
expect "a_file" "${search[@]}" --run="$(touch a_file && echo a_file)/run"
expect "--preset=nope: must be one of cifar" "${search[@]}" --preset=nope
expect "did you mean quickstart?" "${search[@]}" --preset=quickstrat
expect "unexpected argument 'leftover'" "${search[@]}" leftover
expect "--no_such_flag: there is no such flag" "${search[@]}" --no_such_flag=1
expect "--batch=100000" "${search[@]}" --batch=100000
expect "--bits=2,9: 9 is not 1 to 8 or 32" "${search[@]}" --bits=2,9
expect "'x' is not a number" "${search[@]}" --bits=2,x
expect "channels is 6, allowed" "${search[@]}" --channels=6
expect "--gamma_lr: contradicts --bits=32" "${search[@]}" --bits=32 --gamma_lr=1
expect "--jpeg_decoder=nvjpeg: needs a network on the GPU (--device=cuda)" "${search[@]}" --jpeg_decoder=nvjpeg
expect "--lr_schedule=flat: must be one of constant, cosine, linear, step" "${search[@]}" --lr_schedule=flat

expect "--architecture: a file or a genotype is required" "${train[@]}"
expect "DARTS_V9: no such file, and no published genotype" "${train[@]}" --architecture=DARTS_V9
echo '{}' >"$TEST_TMPDIR/x.json"
expect "--channels: contradicts --architecture, a file" "${train[@]}" --architecture="$TEST_TMPDIR/x.json" --channels=8
expect "did you mean PC_DARTS_cifar?" "${train[@]}" --architecture=PC_DARTS_cifr
expect "missing.json" "${train[@]}" --architecture=missing.json
expect "--drop_path" "${train[@]}" --architecture=PC_DARTS_cifar --drop_path=1
expect "--default_bits=9: must be" "${train[@]}" --architecture=NASNet --gammas=any.t7 --default_bits=9
echo '{"format": "nqdarts architecture", "version": 99}' >newer.json
expect "99" "${train[@]}" --architecture=newer.json

rm shards/*0.* || exit 1
expect "shards/" "${search[@]}"
exit "$failures"
