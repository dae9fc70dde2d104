#!/usr/bin/env bash
# Search, training and evaluation in little for what the quick start does not have: CIFAR-100's files,
# ImageNet's shapes, other bits, the auxiliary head.
set -euo pipefail
digits=$PWD/tools/sample_data/digits
tools=$PWD/tools
cd "$TEST_TMPDIR"

# pipeline NAME PRESET TRAIN_DATA TEST_DATA FLAG_OF_SEARCH...: an epoch of search and what follows from it.
pipeline() {
  local name=$1 train_data=$3 test_data=$4
  local common=(--preset="$2" --train_data="$train_data" --batch=8 --epochs=1 --lr_schedule=cosine
    --warmup_epochs=0)
  shift 4
  "$tools/search" "${common[@]}" --layers=3 --channels=8 --derive_layers=3 --derive_channels=4 \
    --alpha_begin=0 --train_fraction=0.05 --search_fraction=0.05 --run="$name/search" "$@"
  "$tools/train" "${common[@]}" --test_data="$test_data" --run="$name/train" \
    --architecture="$name/search/architecture.json"
  "$tools/evaluate" --architecture="$name/train/architecture.json" --weights="$name/train/weights.pt" \
    --test_data="$test_data" --output="$name/result.json"
  grep -q '"accuracy"' "$name/result.json"
}

# CIFAR-100's layout: coarse label, fine label, 3072 bytes of pixels.
python3 - <<'PYTHON'
import pathlib, random
random.seed(1)
folder = pathlib.Path('cifar100-files')
folder.mkdir()
(folder / 'fine_label_names.txt').write_text(''.join(f'class {i}\n' for i in range(100)))
for name, count in ('train.bin', 200), ('test.bin', 100):
    records = (bytes([i % 20, i % 100]) + random.randbytes(3072) for i in range(count))
    (folder / name).write_bytes(b''.join(records))
PYTHON
pipeline cifar100 cifar cifar100-files cifar100-files/test.bin --bits=1,3,8 --train_fraction=0.5 --search_fraction=0.5
grep -q '"classes": 100' cifar100/train/architecture.json
grep -q '"auxiliary": true' cifar100/train/architecture.json

"$tools/pack" --input="$digits/test.tar" --output=test
for bits in 2,4,8 8,4,3,2,1 32; do
  pipeline "imagenet-$bits" imagenet test test --bits="$bits" --image_size=64 --derive_auxiliary=false
done
