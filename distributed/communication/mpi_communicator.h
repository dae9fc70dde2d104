// The communicator of a job that mpirun, or srun --mpi=pmix, started: CPU tensors over MPI.
//
// Collectives run one after another: in the thread that waits for them, or, so that an all-reduce
// overlaps with the computation that goes on, in one of the communicator's. On up to 8 ranks each
// is made of direct exchanges with every peer: an all-reduce of n bytes on R ranks sends 2n(R-1)/R
// bytes per rank in two rounds, or, if it is small, n(R-1) bytes in one. That is as few bytes as a
// ring's and fewer rounds. On more ranks small collectives and broadcasts take ceil(log2(R))
// messages per rank (mpi_gather.h); the terms of a reduction come whole, and are added in order of
// rank. Large all-reduces stay direct. Whoever is missing is found by a roll call
// (mpi_roll_call.h), which a thread answers while the rank computes.
#ifndef DISTRIBUTED_COMMUNICATION_MPI_COMMUNICATOR_H_
#define DISTRIBUTED_COMMUNICATION_MPI_COMMUNICATOR_H_

#include <memory>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "distributed/communication/communicator.h"

namespace distributed {

// Whether an MPI launcher started this process.
bool LaunchedByMpi();

// Joins the ranks of the job; a process does so once. A collective that takes longer than `timeout`
// is an error, on all ranks as soon as on one.
absl::StatusOr<std::unique_ptr<Communicator>> CreateMpiCommunicator(absl::Duration timeout);

}  // namespace distributed

#endif  // DISTRIBUTED_COMMUNICATION_MPI_COMMUNICATOR_H_
