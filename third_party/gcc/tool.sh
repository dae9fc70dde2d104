#!/bin/sh
# bin/NAME of the pinned compiler: runs x86_64-linux-gnu-NAME from beside itself, with its own libraries.
# gcc sees the pinned headers and libraries alone, by paths relative to where it was called from.
root=${0%/bin/*}
name=${0##*/}
export LD_LIBRARY_PATH="$root/usr/lib/x86_64-linux-gnu:$root/lib/x86_64-linux-gnu"
tool=$root/usr/bin/x86_64-linux-gnu-$name
[ "$name" = gcc ] || exec "$tool" "$@"

sysroot=${root%/*}/sysroot
# -no-canonical-prefixes: a symlink's target is no place to look from, as a sandbox holds links to files
# that lie elsewhere. -nostdinc: Debian's gcc makes the paths of its own headers absolute.
exec "$tool-12" -no-canonical-prefixes --sysroot="$sysroot" -B"$root/usr/bin" -L"$root/lib/x86_64-linux-gnu" \
  "$@" -nostdinc \
  -idirafter "$root/usr/include/c++/12" \
  -idirafter "$root/usr/include/x86_64-linux-gnu/c++/12" \
  -idirafter "$root/usr/include/c++/12/backward" \
  -idirafter "$root/usr/lib/gcc/x86_64-linux-gnu/12/include" \
  -idirafter "$sysroot/usr/include/x86_64-linux-gnu" \
  -idirafter "$sysroot/usr/include"
