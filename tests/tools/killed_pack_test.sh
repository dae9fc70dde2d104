#!/usr/bin/env bash
# pack, killed in the middle, leaves nothing that opens, and goes on where it was.
set -uo pipefail
pack=$PWD/tools/pack
inspect=$PWD/tools/inspect
digits=$PWD/tools/sample_data/digits/train.tar
cd "$TEST_TMPDIR"
fail() {
  echo "$*"
  ls -l killed
  exit 1
}

options=(--input="$digits" --samples_per_shard=50 --threads=2)
"$pack" "${options[@]}" --output=whole >/dev/null || fail "cannot pack"

# Killed when the first, and when the tenth shard has appeared.
for shard in 00000 00009; do
  "$pack" "${options[@]}" --output=killed >/dev/null &
  until [ -e "killed/$shard.shard" ]; do sleep 0.001; done
  kill -KILL $!
  wait $! 2>/dev/null
  [ ! -e killed/00028.shard ] || fail "it was not killed in the middle"
  [ ! -e killed/dataset.json ] || fail "it says that it is complete"
  "$inspect" --input=killed --kind=shards 2>/dev/null && fail "an incomplete dataset opens"
done

kept=$(ls killed/*.shard | wc -l)
"$pack" "${options[@]}" --output=killed | grep -q "29 shards ($kept kept)" || fail "it does not go on"
diff -r whole killed || fail "the result is another"
