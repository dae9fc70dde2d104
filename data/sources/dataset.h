// A set of labelled, encoded images that can be read by index: what a Loader decodes and what pack
// turns into shards. OpenDataset (data/loader/open_dataset.h) makes one from a path.
#ifndef DATA_SOURCES_DATASET_H_
#define DATA_SOURCES_DATASET_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "base/shared_bytes.h"
#include "data/io/byte_source.h"
#include "data/io/encoded_sample.h"
#include "data/io/sample_field.h"
#include "data/io/scratch_buffer.h"
#include "data/sources/left_alone.h"

namespace data {

// Has one of the processes that open a data set together `make` what it takes to open it, and gives
// it to all.
using ShareBytes = std::function<absl::StatusOr<base::SharedBytes>(
    const std::function<absl::StatusOr<std::string>()>& make)>;

struct OpenOptions {
  // Whether a class that is known by its samples alone, a folder or a number, may have none.
  bool allow_empty_classes = false;
  // What opens places that are no paths, https:// and the like; null: they are an error.
  std::shared_ptr<ByteStore> store = nullptr;
  // For shards, whose index then is in memory once; null: a process of its own.
  ShareBytes share = nullptr;
  // What to read besides images and labels.
  FieldChoice fields = {};
};

// All methods may be called from several threads at once.
class Dataset {
 public:
  virtual ~Dataset() = default;

  virtual int64_t size() const = 0;

  // Labels are indices into this list. UTF-8.
  virtual const std::vector<std::string>& class_names() const = 0;

  virtual int64_t label(int64_t index) const = 0;

  // What a person looks for to find the sample: a path, or a file and a number in it; printable.
  virtual std::string name(int64_t index) const = 0;

  // What was chosen of what samples have besides image and label.
  const std::vector<SampleField>& fields() const { return fields_; }

  // The sample's bytes, which live in `buffer` until its next use, and its fields(). DataLoss if they are damaged as
  // far as can be told without decoding, and for no other reason: what the system reports is no
  // damage. Errors name the file and the sample.
  virtual absl::StatusOr<EncodedSample> Read(int64_t index, ScratchBuffer& buffer) const = 0;

  // Says that samples [first, last) will be read soon. A hint.
  virtual void WillRead(int64_t first, int64_t last) const {}

  // Takes back what WillRead said.
  virtual void Forget() const {}

  // How many Reads should be under way at a time, on threads that wait and do nothing else, since
  // the bytes come from far; 0: threads that decode may as well read.
  virtual int read_depth() const { return 0; }

  // Tells the samples of one data set from those of another, whatever its path, kind of file and
  // times: labels and bytes, of 256 MiB of samples spread over the set where no checksums of all
  // are at hand. Reads as much.
  virtual absl::StatusOr<uint64_t> Fingerprint() const;

  // Of several data sets that were put together (mixture_dataset.h), how many there are and which
  // one a sample is of.
  virtual int num_parts() const { return 1; }
  virtual int part(int64_t index) const { return 0; }

  // What stands in the input beside the samples, and why it is none.
  const LeftAlone& left_alone() const { return left_alone_; }

 protected:
  LeftAlone left_alone_;
  std::vector<SampleField> fields_;
};

// Every sample's label, in order: what StratifiedSplit takes.
inline std::vector<int64_t> Labels(const Dataset& dataset) {
  std::vector<int64_t> labels(dataset.size());
  for (int64_t i = 0; i < dataset.size(); ++i) labels[i] = dataset.label(i);
  return labels;
}

}  // namespace data

#endif  // DATA_SOURCES_DATASET_H_
