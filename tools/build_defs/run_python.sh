#!/usr/bin/env bash
# run_python.sh SCRIPT ARGUMENTS...   In a target's runfiles: runs the script with the packages that lie there, and no others.
set -euo pipefail
if [ -n "${SANITIZER:-}" ]; then
  echo "skipped: what a sanitizer instruments needs its runtime, which Python does not load"
  exit 0
fi
site=$(mktemp -d "${TEST_TMPDIR:-/tmp}/site.XXXXXX")
for wheel in $(find -L . -maxdepth 4 -name '*.whl' -not -path './external/*'); do
  python3 -m zipfile -e "$wheel" "$site"
done
here=$PWD
export PYTHONPATH=$site:$here/third_party/libtorch/without_cuda:${here%/*}/python_packages:${here%/*}/libtorch:${here%/*}/pillow:${here%/*}/torchvision:${here%/*}/onnx_python
status=0
python3 -P "$@" || status=$?
rm -rf "$site"
exit $status
