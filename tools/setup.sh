#!/usr/bin/env bash
# Installs what a build needs and is missing (Debian 12, as root or with sudo), and writes
# .bazelrc.local: where this machine keeps caches and sandboxes. Quick when nothing is missing.
# NQDARTS_CACHE names a cache folder outside the checkout (default: ~/.cache/nqdarts).
# --browser: and the Chromium that //tests/tools:report_browser_test looks at pages with.
set -euo pipefail
cd "$(dirname "$0")/.."

need=()
browser=()
if [ "${1:-}" = --browser ]; then browser=(chromium-headless-shell fonts-dejavu-core); fi
for package in bazel-bootstrap python3 python3-pip ca-certificates git "${browser[@]}"; do
  dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'install ok installed' || need+=("$package")
done
if [ ${#need[@]} -gt 0 ]; then
  echo "installing: ${need[*]}"
  as_root=(env DEBIAN_FRONTEND=noninteractive)
  [ "$(id -u)" = 0 ] || as_root=(sudo "${as_root[@]}")
  "${as_root[@]}" apt-get -q update >/dev/null
  "${as_root[@]}" apt-get -q install -y --no-install-recommends "${need[@]}" >/dev/null
fi

# What decides how the host's compilers compile.
host_compilers() {
  dpkg-query -W 'gcc-*' 'g++-*' 'clang-*' 'libstdc++-*-dev' libc6-dev binutils || true
  "${CC:-cc}" --version || true
}

cache=${NQDARTS_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/nqdarts}
mkdir -p "$cache"
{
  echo "build --repository_cache=$cache/repository"
  echo "build --disk_cache=$cache/disk"
  # 11,000 torch headers are linked into the sandbox of every compilation: 2 s in memory, 30 s on disk.
  if [ -w /dev/shm ]; then echo "build --sandbox_base=/dev/shm"; fi
  # In the key of what they compile: caches are shared by machines with different ones.
  echo "build:host_compiler --action_env=HOST_COMPILERS=$(host_compilers 2>/dev/null | sha256sum | cut -c1-16)"
} >.bazelrc.local.new
cmp -s .bazelrc.local.new .bazelrc.local 2>/dev/null && rm .bazelrc.local.new || mv .bazelrc.local.new .bazelrc.local
