#!/bin/sh
# mpirun [OPTION...] PROGRAM [ARGUMENT...]: OpenMPI's mpirun. On every host this archive lies in the same folder.
bin=$(dirname "$(readlink -f "$0")")
export OMPI_MCA_orte_launch_agent="${OMPI_MCA_orte_launch_agent:-$bin/orted}"
exec "$bin/with_mpi" "${bin%/bin}/openmpi/usr/bin/orterun" "$@"
