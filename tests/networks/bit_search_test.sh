#!/usr/bin/env bash
# Networks whose structure is given: bits searched, trained with those found, evaluated; float ones quantized
# after training, and their weights taken by others.
set -euo pipefail
digits=$PWD/tools/sample_data/digits
tools=$PWD/tools
work=$TEST_TMPDIR
cd "$work"
mkdir few
tar -xf "$digits/test.tar" -C few
"$tools/pack" --input=few --output=data >/dev/null
rm -r "$(ls -d few/*/ | tail -n 1)"
"$tools/pack" --input=few --output=nine >/dev/null

# refuses TEXT TOOL FLAG…: in one line, leaving nothing.
refuses() {
  local text=$1 tool=$2
  shift 2
  if "$tools/$tool" "$@" --run=refused 2>err; then echo "$tool $* passes"; exit 1; fi
  grep -qF -- "$text" err || { cat err; echo "lacks: $text"; exit 1; }
  [ "$(wc -l <err)" = 1 ] && [ ! -e refused ]
}

small=(--train_data=data --batch=90 --epochs=1 --weight_lr=0.01)
"$tools/precision_search" --network=edmips_resnet18 --activation_bits=2,3,4 --weight_bits=1,2,3,4 \
  --target_compression=120 "${small[@]}" --run=search
grep -q '"format": "nqdarts fixed network"' search/network.json
grep -q '"layer4.1.conv2": \[[234], [1234]\]' search/network.json
"$tools/train" --network=search/network.json "${small[@]}" --test_data=data --run=found
cmp <(grep '"layer' search/network.json) <(grep '"layer' found/network.json)
"$tools/evaluate" --network=found/network.json --weights=found/weights.pt --test_data=data --output=found.json
grep -q '"accuracy"' found.json

# They leave the house: what runs without LibTorch does as well as exact sums.
exported=(--network=found/network.json --weights=found/weights.pt)
"$tools/export" "${exported[@]}" --output=found.nqn --check_data=data >checked
grep -q "exact sums  0 of [0-9]* levels, 0 of 360 classes differ" checked || { cat checked; exit 1; }
"$tools/evaluate" "${exported[@]}" --test_data=data --exact_sums >evaluated
"$tools/predict" found.nqn --data=data >predicted
grep -qxF "$(head -n 1 predicted)" evaluated || { cat evaluated predicted; exit 1; }
for format in onnx qonnx; do
  "$tools/export" "${exported[@]}" --format=$format --output=found.$format | grep -q " bytes; "
done

# By torchvision's names.
"$tools/train" --network=resnet18 "${small[@]}" --run=float
python3 - <<'END'
import zipfile
file = zipfile.ZipFile("float/weights.pt")
names = file.read(next(name for name in file.namelist() if name.endswith("data.pkl")))
for name in (b"conv1.weight", b"layer2.0.downsample.0.weight", b"layer4.1.bn2.num_batches_tracked", b"fc.bias"):
  assert name in names, name
assert b"conv.weight" not in names and b"size_product" not in names
END
"$tools/ptq" --network=resnet18 --weights=float/weights.pt --test_data=data --sweep=8/8 --output=ptq.json
"$tools/train" --network=resnet18 --abits=4 --wbits=4 "${small[@]}" --initial_weights=float/weights.pt --run=fixed

nine=(--train_data=nine --batch=90 --epochs=1)
others=(--initial_weights=float/weights.pt --network=resnet18)
refuses "fc.bias [10] instead of [9]" train "${nine[@]}" "${others[@]}"
refuses "--replace_classifier takes all but the classifier's" train "${nine[@]}" "${others[@]}"
"$tools/train" "${nine[@]}" "${others[@]}" --replace_classifier --dry_run --run=none
refuses "tensors are missing (layer1.0.bn3.bias, " train "${small[@]}" --network=resnet50 \
  --initial_weights=float/weights.pt --replace_classifier
refuses "tensors are missing (layer1.0.bn0.bias, " train "${small[@]}" --network=edmips_resnet18 \
  --initial_weights=float/weights.pt
refuses "--network=edmips_inception_v3: image_side: is 32; this network takes images of 75 pixels a side or more" \
  train "${small[@]}" --network=edmips_inception_v3
refuses "did you mean edmips_resnet18?" train "${small[@]}" --network=edmips_resnet81
refuses "--architecture: contradicts --network" train "${small[@]}" --network=edmips_resnet18 \
  --architecture=PC_DARTS_cifar
refuses "belongs to --network" train "${small[@]}" --architecture=search/network.json
refuses "is for 10 classes, there are 9" train "${nine[@]}" --network=search/network.json
refuses "--layers: contradicts --network" train "${small[@]}" --network=edmips_resnet18 --layers=8
refuses "--weight_bits=2,9: 9 is not 1 to 8 or 32" precision_search "${small[@]}" --network=edmips_resnet18 --weight_bits=2,9
