#!/bin/sh
# What mpirun starts on the other hosts.
bin=$(dirname "$(readlink -f "$0")")
exec "$bin/with_mpi" "${bin%/bin}/openmpi/usr/bin/orted" "$@"
