#!/usr/bin/env bash
# Two checks of one cache come one after the other, each in a checkout that nobody removes under it.
# Bazel and the tests only pretend.
set -euo pipefail
run=$PWD/.ci/run
cd "$TEST_TMPDIR"
mkdir -p programs project/.ci project/tools
cp "$run" project/.ci/run
touch project/tools/setup.sh
cat >project/tools/test.sh <<'TEST'
#!/usr/bin/env bash
set -eu
mkdir "$NQDARTS_CACHE/busy"
touch here
sleep 1
rm here
rmdir "$NQDARTS_CACHE/busy"
echo tested >>"$NQDARTS_CACHE/log"
TEST
# As the server, which stays and holds what it inherited.
printf '#!/bin/sh\nsleep 60 >/dev/null 2>&1 &\necho $! >>"$NQDARTS_CACHE/servers"\n' >programs/bazel
chmod +x programs/bazel project/tools/*.sh
export PATH=$PWD/programs:$PATH NQDARTS_CACHE=$PWD/cache
mkdir cache

project/.ci/run >first 2>&1 &
first=$!
project/.ci/run >second 2>&1 || { cat second; exit 1; }
wait "$first" || { cat first; exit 1; }
# shellcheck disable=SC2046
kill $(cat cache/servers)
[ "$(wc -l <cache/log)" = 2 ]
