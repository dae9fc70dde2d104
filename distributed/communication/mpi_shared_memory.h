// The file in /dev/shm through which OpenMPI's ranks of one host exchange messages.
//
// Its name goes as soon as every rank of the host has mapped it, and its memory with the last of
// them: then nothing is left behind, however and with whichever launcher the job is killed.
#ifndef DISTRIBUTED_COMMUNICATION_MPI_SHARED_MEMORY_H_
#define DISTRIBUTED_COMMUNICATION_MPI_SHARED_MEMORY_H_

#include <string>

namespace distributed {

class MpiSharedMemory {
 public:
  // Removes the name of rank `rank`'s own file, if it has one. MPI must run on all ranks.
  void Unlink(int rank);

  // Before MPI_Finalize, which removes the file and complains if there is none.
  void Relink() const;

 private:
  std::string path_;
};

}  // namespace distributed

#endif  // DISTRIBUTED_COMMUNICATION_MPI_SHARED_MEMORY_H_
