#!/usr/bin/env bash
# The pinned compiler reads its own headers and libraries alone, and gives the same bytes in any folder.
set -euo pipefail
repositories=$(dirname "$PWD")
cat >"$TEST_TMPDIR/hello.cc" <<'CODE'
#include <cmath>
#include <cstdio>
#include <linux/version.h>
#include <thread>
#include <vector>
int main(int argc, char**) {
  std::vector<double> v(argc, 2.0);
  std::thread([&] { v.at(0) = std::sqrt(v.at(0)); }).join();
  std::printf("%s %.3f\n", __FILE__, v.at(0));
}
CODE

# build FOLDER: as Bazel calls it, from a folder of the build's own.
build() {
  mkdir -p "$1/external"
  cd "$1"
  ln -s "$repositories/gcc" "$repositories/sysroot" external/
  cp "$TEST_TMPDIR/hello.cc" .
  external/gcc/bin/gcc -std=c++20 -O2 -g -fdebug-prefix-map="$PWD=." -fno-canonical-system-headers -fPIC -MD -MF hello.d \
    -c hello.cc -o hello.o
  external/gcc/bin/gcc -fuse-ld=gold -Wl,--trace -o hello hello.o -lstdc++ -lm >linked
}

# only_ours FILE: every path in it begins with external/gcc or external/sysroot.
only_ours() {
  [ "$(grep -c external/ "$1")" -gt 5 ]
  if tr -s ' \\' '\n\n' <"$1" | grep / | grep -vE '^external/(gcc|sysroot)/|^/tmp/.*\.res$'; then
    echo "^ read by the pinned compiler, in $1" >&2
    exit 1
  fi
}

(build "$TEST_TMPDIR/here")
(build "$TEST_TMPDIR/another/much/longer/folder")
cd "$TEST_TMPDIR/here"
cmp hello.o ../another/much/longer/folder/hello.o
cmp hello ../another/much/longer/folder/hello
only_ours hello.d
only_ours linked
[ "$(./hello)" = "hello.cc 1.414" ]
