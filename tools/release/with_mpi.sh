#!/bin/sh
# with_mpi PROGRAM [ARGUMENT...]: runs PROGRAM with the OpenMPI of this archive, wherever it was unpacked.
# For ranks that neither mpirun nor local_mpirun starts: srun --mpi=pmix bin/with_mpi bin/search ...
openmpi=$(dirname "$(dirname "$(readlink -f "$0")")")/openmpi
libraries=$openmpi/usr/lib/x86_64-linux-gnu
export OPAL_PREFIX="$openmpi/usr" OPAL_SYSCONFDIR="$openmpi/etc/openmpi"
export PMIX_INSTALL_PREFIX="$libraries/pmix2"
export LD_LIBRARY_PATH="$libraries:$openmpi/lib/x86_64-linux-gnu${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}"
# mpirun looks for programs there, also where the environment is empty.
export PATH="${PATH:-/usr/bin:/bin}"
# Plugins whose libraries are not on this machine (InfiniBand and the like) are passed over without a word.
export OMPI_MCA_mca_base_component_show_load_errors=0 PMIX_MCA_pcompress_base_silence_warning=1
exec "$@"
