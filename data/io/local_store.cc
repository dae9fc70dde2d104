#include "data/io/local_store.h"

#include <cstdint>
#include <utility>

#include "absl/status/status.h"
#include "base/status_macros.h"
#include "data/io/random_access_file.h"

namespace data {
namespace {

class LocalFile : public ByteSource {
 public:
  LocalFile(RandomAccessFile file, std::shared_ptr<IoThreads> threads)
      : file_(std::make_shared<const RandomAccessFile>(std::move(file))),
        threads_(std::move(threads)) {}

  const std::string& name() const override { return file_->path(); }
  uint64_t size() const override { return file_->size(); }

  void Start(uint64_t offset, size_t count, void* to, Done done) const override {
    threads_->Run([this, offset, count, to, done] { done(file_->Read(offset, count, to)); });
  }

  absl::Status Read(uint64_t offset, size_t count, void* to) const override {
    return file_->Read(offset, count, to);
  }

  void WillRead(uint64_t offset, uint64_t count) const override {
    threads_->Hint([file = file_, offset, count] { file->WillRead(offset, count); });
  }

 private:
  const std::shared_ptr<const RandomAccessFile> file_;
  const std::shared_ptr<IoThreads> threads_;
};

}  // namespace

LocalStore::LocalStore(size_t open_files, int depth)
    : pool_(std::make_shared<FilePool>(open_files)), threads_(std::make_shared<IoThreads>(depth)) {}

absl::StatusOr<std::shared_ptr<const ByteSource>> LocalStore::Open(const std::string& location,
                                                                   absl::string_view) {
  ASSIGN_OR_RETURN(RandomAccessFile file, RandomAccessFile::Open(location, pool_));
  return std::make_shared<const LocalFile>(std::move(file), threads_);
}

}  // namespace data
