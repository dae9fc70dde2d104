#!/usr/bin/env bash
# Fuzzes what reads data from outside: every target of //data/fuzz and that of //quant/runtime, for SECONDS
# (default 600) each, two at a time, with libFuzzer and the address sanitizer. Needs clang-14. Ends with the
# number of inputs run by each; findings are left in the folder it names.
set -euo pipefail
cd "$(dirname "$0")/.."
seconds=${1:-600}
targets=(data/fuzz/{beton,cifar,idx,image,shard,tar} quant/runtime/packed)

# Output of its own, as another compiler would otherwise drop the analysis of every build.
bazel=(bazel "--output_user_root=${NQDARTS_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/nqdarts}/fuzz")
flags=(--config=asan --repo_env=CC=clang-14 --copt=-fsanitize=fuzzer-no-link)
labels=()
for target in "${targets[@]}"; do labels+=("//${target%/*}:fuzz_${target##*/}"); done
"${bazel[@]}" build "${flags[@]}" --symlink_prefix=/ "${labels[@]}"
binaries=$("${bazel[@]}" info "${flags[@]}" bazel-bin)
"${bazel[@]}" shutdown

work=$(mktemp -d)
# fuzz ROOM/NAME
fuzz() {
  local room=${1%/*} name=${1##*/}
  mkdir -p "$work/$name"
  "$binaries/$room/fuzz_$name" -max_total_time="$seconds" -timeout=25 -rss_limit_mb=2048 -print_final_stats=1 \
    -artifact_prefix="$work/$name-" "$work/$name" "$room/corpus/$name" >"$work/$name.log" 2>&1
}
export -f fuzz
export work seconds binaries
status=0
printf '%s\n' "${targets[@]}" | xargs -P 2 -I{} bash -c 'fuzz {}' || status=1
for target in "${targets[@]##*/}"; do
  echo "$target: $(grep -o 'stat::number_of_executed_units: .*' "$work/$target.log" || tail -n 1 "$work/$target.log")"
done
echo "logs, inputs and findings: $work"
exit "$status"
