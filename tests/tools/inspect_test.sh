#!/usr/bin/env bash
# inspect: counts and histograms, bad samples by name, extraction.
set -uo pipefail
inspect=$PWD/tools/inspect
pack=$PWD/tools/pack
digits=$PWD/tools/sample_data/digits/train.tar
corrupt=$PWD/data/loader/testdata/corrupt.tar
cd "$TEST_TMPDIR"
fail() {
  echo "$*"
  cat out err
  exit 1
}

# Every sample is in one class and has one size.
"$inspect" --input="$digits" --verify --threads=2 >out 2>err || fail "the digits are not all good"
grep -q "1437 samples of 10 classes" out || fail "no summary"
grep -q "1437 JPEG, 0 raw, 0 PNG, 0 bad" out || fail "no kinds"
[ "$(sed -n '/samples  class/,/samples  longer/p' out | awk '$1 ~ /^[0-9]+$/ {n += $1} END {print n}')" = 1437 ] ||
  fail "the classes do not add up"
[ "$(sed -n '/longer side/,$p' out | awk '$1 ~ /^[0-9]+$/ {print $1, $2, $4}')" = "1437 32 63" ] ||
  fail "not all are 32 pixels wide"

# The first 25 of the 30 files are damaged, in ways that only decoding finds for some.
"$inspect" --input="$corrupt" --verify >out 2>err && fail "damage is no error"
grep -q "25 bad samples" err || fail "no count of bad samples"
tar -tf "$corrupt" | grep -i '\.\(jpe\?g\|png\)$' >names
[ "$(wc -l <names)" = 30 ] || fail "not 30 files"
head -n 25 names | while read -r name; do
  [ "$(grep -cF ", $name: " out)" = 1 ] || fail "$name is not listed"
done || exit 1
[ "$(grep -c '^bad: ' out)" = 25 ] || fail "others than the damaged ones are listed"
"$inspect" --input="$corrupt" >out 2>err
[ "$(grep -c '^bad: ' out)" -lt 25 ] || fail "without --verify all is decoded"

# A sample comes out as it went in; of shards, the pixels do.
"$inspect" --input="$digits" --extract=7 --output=sample.jpg >out 2>err || fail "no extraction"
name=$(sed 's/.*sample 7, \([^,]*\),.*/\1/' out)
tar -xOf "$digits" "$name" | cmp - sample.jpg || fail "$name is not what was extracted"
"$pack" --input="$digits" --output=raw --raw_fraction=1 --shuffle=false >out 2>err || fail "no pack"
"$inspect" --input=raw --extract=7 --output=sample.ppm >out 2>err || fail "no raw extraction"
[ "$(head -c 13 sample.ppm | tr '\n' ' ')" = "P6 32 32 255 " ] || fail "not a PPM image"
[ "$(stat -c %s sample.ppm)" = 3085 ] || fail "not 3072 bytes of pixels"
"$inspect" --input="$digits" --extract=1437 --output=none >out 2>err && fail "there is no sample 1437"
grep -q "1437 of 1437" err || fail "no error for sample 1437"

# Shards keep the classes: the same list with the same counts. (The dataset may be named without its flag.)
classes() { sed -n '/samples  class/,/samples  longer/p' out; }
"$inspect" "$digits" >out 2>err || fail "no list of the digits"
classes >classes_of_tar
"$inspect" raw >out 2>err || fail "no list of the shards"
classes | cmp - classes_of_tar || fail "packing changes the classes"
"$inspect" raw --input=raw >out 2>err && fail "two datasets are no error"

# A shard with a flipped bit.
printf '\xa5' | dd of=raw/00000.shard bs=1 seek=1000 conv=notrunc status=none
"$inspect" --input=raw >out 2>err && fail "a flipped bit is no error"
grep -q "^bad: sample 0, .*checksum differs" out || fail "the flipped bit is in no bad sample"
