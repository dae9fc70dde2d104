// The communicator of a test that runs as several ranks; mpi_test_main.cc makes it.
#ifndef TESTS_DISTRIBUTED_WORLD_H_
#define TESTS_DISTRIBUTED_WORLD_H_

#include "distributed/communicator.h"

namespace distributed {

Communicator& World();

}  // namespace distributed

#endif  // TESTS_DISTRIBUTED_WORLD_H_
