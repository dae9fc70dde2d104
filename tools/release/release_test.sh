#!/usr/bin/env bash
# The release somewhere else: unpacked, run by another user (where this one is root, and another may run
# anything) in an empty environment, with the build's folders out of sight (where a mount namespace is to be had: without
# one a mount would hide them from everybody).
set -euo pipefail
archive=$PWD/tools/release/release.tar
digits=$PWD/tools/sample_data/digits/train.tar
docs=$PWD/docs/cluster.md

work=$(mktemp -d /tmp/release.XXXXXX)
trap 'rm -rf "$work"' EXIT
fail() {
  echo "$*" >&2
  exit 1
}
tar -xf "$archive" -C "$work"
cp "$digits" "$work/digits.tar"
bin=$work/nqdarts/bin
mkdir "$work/home"

# Every library comes from the archive or the system.
for program in "$bin"/*; do
  [ -f "$program" ] || continue
  file=$(head -c 4 "$program" | tr -d '\0')
  [ "$file" = $'\x7fELF' ] || continue
  if ldd "$program" | grep -v linux-vdso | grep -vE "=> ($work/nqdarts|/lib|/usr/lib)|^\s*/lib64/ld-linux"; then
    fail "$program: loads what is printed above"
  fi
done

# The documents name at least what the archive needs.
while read -r version _; do
  family=${version%%_*}
  documented=$(grep -o "\b${family}_[0-9.]*[0-9]" "$docs" | sort -V | tail -n 1)
  [ "$(printf '%s\n' "$version" "$documented" | sort -V | tail -n 1)" = "$documented" ] ||
    fail "docs/cluster.md says ${documented:-nothing of $family}, the archive needs $version"
done < <(grep -E '^(GLIBC|GLIBCXX|CXXABI|GCC)_' "$work/nqdarts/REQUIREMENTS")
[ -s "$work/nqdarts/licences/libtorch/torch-2.11.0.dist-info/licenses/LICENSE" ] || fail "no licence of torch"

# The output base holds what the symlinks of a build lead to.
output_base=$(readlink -f "$archive")
output_base=${output_base%%/execroot/*}
as_user=()
nobody=(setpriv --reuid=65534 --regid=65534 --clear-groups)
if [ "$(id -u)" = 0 ] && "${nobody[@]}" true; then
  chown -R 65534:65534 "$work"
  as_user=("${nobody[@]}")
fi
namespace=()
if unshare --mount true 2>/dev/null; then
  namespace=(unshare --mount)
elif unshare --user --map-current-user --keep-caps --mount true 2>/dev/null; then
  namespace=(unshare --user --map-current-user --keep-caps --mount)
fi
elsewhere() {
  if [ ${#namespace[@]} = 0 ]; then
    (cd "$work/home" && "${as_user[@]}" env -i "$@")
    return
  fi
  # shellcheck disable=SC2016
  (cd "$work/home" && "${namespace[@]}" bash -c '
    hidden=$1 && shift
    if mount -t tmpfs none "$hidden" 2>/dev/null; then [ ! -e "$hidden/execroot" ]; fi
    exec "$@"' _ "$output_base" "${as_user[@]}" env -i "$@")
}

elsewhere "$bin/pack" --input="$work/digits.tar" --output="$work/home/data"
search=("$bin/search" --preset=quickstart --layers=3 --derive_layers=3 --channels=8 --batch=16 --image_size=16
  --train_fraction=0.02 --search_fraction=0.02 --epochs=1 --train_data="$work/home/data")
elsewhere "$bin/local_mpirun" 2 "${search[@]}" --run="$work/home/search"
grep -q '"genotype":' "$work/home/search/architecture.json"
elsewhere "$bin/report" "$work/home/search" --output="$work/home/report.html"
grep -q 'BitOps by layer, exact' "$work/home/report.html"
elsewhere "$bin/convert" --format=genotype --architecture="$work/home/search/architecture.json" --output="$work/home/genotype"
grep -q '^Genotype(normal=' "$work/home/genotype"

# mpirun, its daemon started by what stands for ssh: an empty environment on another host.
cat >"$work/home/ssh" <<'SSH'
#!/bin/sh
shift
exec env -i /bin/sh -c "$*"
SSH
chmod 755 "$work/home/ssh"
elsewhere "$bin/mpirun" --allow-run-as-root --oversubscribe --bind-to none --host another-host:2 -np 2 \
  --mca plm_rsh_agent "$work/home/ssh" --mca oob_tcp_if_include lo --mca btl self,vader \
  --mca btl_vader_single_copy_mechanism none --mca orte_tmpdir_base "$work/home" \
  -x OMP_NUM_THREADS=1 "${search[@]}" --run="$work/home/other_host"
diff "$work/home/search/architecture.json" "$work/home/other_host/architecture.json"

# Another LibTorch in LD_LIBRARY_PATH is passed over, whatever else lies there.
mkdir "$work/other"
touch "$work/other/"{libtorch_cpu.so,libc10.so,libglog.so.1,libmpi.so.40}
LD_LIBRARY_PATH=$work/other "$bin/search" --help >"$work/help" 2>&1 || true
grep -q train_data "$work/help" || fail "$(cat "$work/help")"
