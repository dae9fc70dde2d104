#!/usr/bin/env bash
# Installs what is missing and runs every test; ends with the line "N passed, N failed".
# Arguments go to `bazel test` (say, --config=asan).
set -uo pipefail
cd "$(dirname "$0")/.."
tools/setup.sh || exit

log=$(mktemp)
trap 'rm -f "$log"' EXIT
bazel ${BAZEL_STARTUP_OPTIONS:-} test --keep_going "$@" //... 2>&1 | tee "$log"
status=${PIPESTATUS[0]}
awk -v status="$status" '
  /^\/\/[^ ]+ .*(PASSED|FLAKY)/ { passed++ }
  /^\/\/[^ ]+ .*(FAILED|TIMEOUT|NO STATUS|INCOMPLETE|REMOTE FAILURE)/ { failed++ }
  END {
    if (status != 0 && !failed) failed = 1  # the build itself
    printf "%d passed, %d failed\n", passed, failed
  }' "$log"
exit "$status"
