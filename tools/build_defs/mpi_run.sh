#!/usr/bin/env bash
# mpi_run.sh RANKS PROGRAM [ARGUMENT...]: runs PROGRAM under the repository's own mpirun on this
# machine alone. For `bazel test`, whose working directory lies beside @openmpi's runfiles, as
# bazel-bin/tools/local_mpirun, whose own runfiles hold it, and as bin/local_mpirun of a release.
set -euo pipefail
if [ $# -lt 2 ] || ! [[ $1 =~ ^[1-9][0-9]*$ ]]; then
  echo "usage: $(basename "$0") RANKS PROGRAM [ARGUMENT...]: runs PROGRAM as so many ranks on this machine" >&2
  exit 2
fi
ranks=$1
shift

openmpi=$PWD/../openmpi
here=$(dirname "$(readlink -f "$0")")
[ ! -d "$here/../openmpi" ] || openmpi=$(realpath "$here/../openmpi")
[ ! -d "$0.runfiles" ] || openmpi=$(realpath "$0.runfiles")/openmpi
# With symlinked runfiles, MPI must see the whole package, not the files one by one.
[ -L "$openmpi/usr/bin/orterun" ] || openmpi=$(cd "$openmpi" && pwd -P)
libraries=$openmpi/usr/lib/x86_64-linux-gnu
export OPAL_PREFIX=$openmpi/usr OPAL_SYSCONFDIR=$openmpi/etc/openmpi
export PMIX_INSTALL_PREFIX=$libraries/pmix2
export LD_LIBRARY_PATH=$libraries:$openmpi/lib/x86_64-linux-gnu

# mpirun looks for programs there, also where the environment is empty.
export PATH=${PATH:-/usr/bin:/bin}
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
# More ranks than cores is what a test is.
export OMPI_MCA_rmaps_base_oversubscribe=1 OMPI_MCA_hwloc_base_binding_policy=none
export OMPI_MCA_mpi_yield_when_idle=1
# This machine only: shared memory between ranks, the loopback device for the launcher.
export OMPI_MCA_pml=ob1 OMPI_MCA_btl=self,vader OMPI_MCA_btl_vader_single_copy_mechanism=none
export OMPI_MCA_oob_tcp_if_include=lo OMPI_MCA_plm_rsh_agent=false
scratch=$(mktemp -d /tmp/mpi.XXXXXX)
export OMPI_MCA_orte_tmpdir_base=$scratch
# Plugins whose libraries are not here (InfiniBand and the like) are passed over without a word.
export OMPI_MCA_mca_base_component_show_load_errors=0 PMIX_MCA_pcompress_base_silence_warning=1
export OMP_NUM_THREADS=1
# mpirun's folder must go also when it is killed: this process reads a pipe that ends with mpirun.
exec 9> >(exec >/dev/null 2>&1; trap '' HUP INT TERM; cat; rm -rf "$scratch")
exec "$openmpi/usr/bin/orterun" -np "$ranks" "$@"
