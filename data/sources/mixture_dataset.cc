#include "data/sources/mixture_dataset.h"

#include <algorithm>
#include <cstddef>

#include "absl/memory/memory.h"
#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "data/io/printable_name.h"
#include "data/io/sample_field.h"
#include "xxhash.h"

namespace data {

MixtureDataset::MixtureDataset(std::vector<Part> parts) : parts_(std::move(parts)), firsts_({0}) {
  for (const Part& part : parts_) firsts_.push_back(firsts_.back() + part.dataset->size());
}

absl::StatusOr<std::unique_ptr<MixtureDataset>> MixtureDataset::Create(std::vector<Part> parts) {
  auto mixture = absl::WrapUnique(new MixtureDataset(std::move(parts)));
  const std::vector<std::string>& names = mixture->class_names();
  mixture->fields_ = mixture->parts_.front().dataset->fields();
  for (const Part& part : mixture->parts_) {
    if (part.dataset->fields() != mixture->fields_) {
      return absl::InvalidArgumentError(absl::StrCat(
          part.path, ": samples have the fields ", DescribeFields(part.dataset->fields()),
          "; those of ", mixture->parts_.front().path, " ", DescribeFields(mixture->fields_)));
    }
    std::vector<int64_t>& labels = mixture->labels_.emplace_back();
    for (const std::string& name : part.dataset->class_names()) {
      const auto found = std::find(names.begin(), names.end(), name);
      if (found == names.end()) {
        return absl::InvalidArgumentError(absl::StrCat(part.path, ": class \"", PrintableName(name),
                                                       "\" is none of ",
                                                       mixture->parts_.front().path));
      }
      labels.push_back(found - names.begin());
    }
  }
  return mixture;
}

MixtureDataset::Place MixtureDataset::Find(int64_t index) const {
  const int of = part(index);
  return {of, *parts_[of].dataset, index - firsts_[of]};
}

int MixtureDataset::part(int64_t index) const {
  return static_cast<int>(std::upper_bound(firsts_.begin(), firsts_.end(), index) -
                          firsts_.begin()) -
         1;
}

const std::vector<std::string>& MixtureDataset::class_names() const {
  return parts_.front().dataset->class_names();
}

int64_t MixtureDataset::label(int64_t index) const {
  const auto [of, dataset, own] = Find(index);
  return labels_[of][dataset.label(own)];
}

std::string MixtureDataset::name(int64_t index) const {
  const auto [of, dataset, own] = Find(index);
  return dataset.name(own);
}

absl::StatusOr<EncodedSample> MixtureDataset::Read(int64_t index, ScratchBuffer& buffer) const {
  const auto [of, dataset, own] = Find(index);
  return dataset.Read(own, buffer);
}

void MixtureDataset::Forget() const {
  for (const Part& part : parts_) part.dataset->Forget();
}

void MixtureDataset::WillRead(int64_t first, int64_t last) const {
  for (size_t i = 0; i < parts_.size(); ++i) {
    const int64_t begin = std::max(first, firsts_[i]), end = std::min(last, firsts_[i + 1]);
    if (begin < end) parts_[i].dataset->WillRead(begin - firsts_[i], end - firsts_[i]);
  }
}

int MixtureDataset::read_depth() const {
  int depth = 0;
  for (const Part& part : parts_) depth = std::max(depth, part.dataset->read_depth());
  return depth;
}

absl::StatusOr<uint64_t> MixtureDataset::Fingerprint() const {
  std::vector<uint64_t> of_parts;
  for (const Part& part : parts_) {
    ASSIGN_OR_RETURN(of_parts.emplace_back(), part.dataset->Fingerprint());
  }
  return XXH3_64bits(of_parts.data(), of_parts.size() * sizeof(of_parts[0]));
}

}  // namespace data
