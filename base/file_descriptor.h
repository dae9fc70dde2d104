// An open descriptor, which is closed with the object.
#ifndef BASE_FILE_DESCRIPTOR_H_
#define BASE_FILE_DESCRIPTOR_H_

#include <unistd.h>

namespace base {

class FileDescriptor {
 public:
  explicit FileDescriptor(int fd) : fd_(fd) {}
  FileDescriptor(const FileDescriptor&) = delete;
  FileDescriptor& operator=(const FileDescriptor&) = delete;
  ~FileDescriptor() { close(fd_); }

  int get() const { return fd_; }

 private:
  const int fd_;
};

}  // namespace base

#endif  // BASE_FILE_DESCRIPTOR_H_
