#include "data/loader/loader.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <condition_variable>
#include <deque>
#include <map>
#include <mutex>
#include <numeric>
#include <optional>
#include <thread>
#include <utility>

#include "absl/memory/memory.h"
#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "data/loader/batch_pool.h"
#include "data/loader/preprocessor.h"
#include "data/loader/verified_samples.h"
#include "data/pixels/random.h"

namespace data {
namespace {

// What a thread takes at once: enough that small images do not queue for the lock.
constexpr int64_t kSamplesAtOnce = 16;

// Apart from the streams of samples.
constexpr uint64_t kMixStream = uint64_t{0x6d69786564} << 16;

int64_t StepsPerEpoch(const LoaderOptions& options) {
  const int64_t samples = options.samples.size(), batch = options.global_batch;
  return options.drop_last ? samples / batch : (samples + batch - 1) / batch;
}

absl::Status CheckSampling(const Dataset& dataset, const LoaderOptions& options) {
  const Sampling& sampling = options.sampling;
  if (!sampling.any()) return absl::OkStatus();
  const auto wrong = [](auto... what) {
    return absl::InvalidArgumentError(absl::StrCat("loader: sampling: ", what...));
  };
  if (options.order != Order::kShuffled) return wrong("wants samples shuffled");
  if (static_cast<int64_t>(sampling.groups.size()) != dataset.size()) {
    return wrong(sampling.groups.size(), " groups of ", dataset.size(), " samples");
  }
  const int groups = static_cast<int>(sampling.shares.size());
  for (const int32_t group : sampling.groups) {
    if (group < 0 || group >= groups) return wrong("group ", group, " of ", groups);
  }
  std::vector<bool> found(groups);
  for (const int64_t sample : options.samples) found[sampling.groups[sample]] = true;
  double sum = 0;
  for (int group = 0; group < groups; ++group) {
    if (!(sampling.shares[group] > 0))
      return wrong("the share of group ", group, " is not above 0");
    if (!found[group]) return wrong("group ", group, " has no samples");
    sum += sampling.shares[group];
  }
  return std::abs(sum - 1) < 1e-6 ? absl::OkStatus() : wrong("the shares add up to ", sum);
}

absl::Status CheckOptions(const Dataset& dataset, const LoaderOptions& options) {
  const auto check = [](bool good, auto... what) {
    return good ? absl::OkStatus() : absl::InvalidArgumentError(absl::StrCat("loader: ", what...));
  };
  RETURN_IF_ERROR(check(options.global_batch >= 1, "global_batch: not positive"));
  RETURN_IF_ERROR(check(options.rank >= 0 && options.rank < options.world_size,
                        "rank: ", options.rank, " of ", options.world_size));
  RETURN_IF_ERROR(check(options.threads >= 1, "threads: not positive"));
  RETURN_IF_ERROR(check(options.prefetch >= 1, "prefetch: not positive"));
  for (const int64_t sample : options.samples) {
    RETURN_IF_ERROR(check(sample >= 0 && sample < dataset.size(), "samples: ", sample,
                          " is not one of the ", dataset.size(), " of the dataset"));
  }
  RETURN_IF_ERROR(check(StepsPerEpoch(options) >= 1, "global_batch: ", options.samples.size(),
                        " samples make no batch of ", options.global_batch));
  RETURN_IF_ERROR(CheckAugmentation(options.augmentation));
  for (size_t i = 0; i < options.sizes.size(); ++i) {
    const auto& [epoch, size] = options.sizes[i];
    RETURN_IF_ERROR(check(i == 0 ? epoch == 0 : epoch > options.sizes[i - 1].epoch, "sizes: epoch ",
                          epoch, " is out of order"));
    Augmentation sized = options.augmentation;
    sized.size = size;
    RETURN_IF_ERROR(CheckAugmentation(sized));
  }
  RETURN_IF_ERROR(CheckSampling(dataset, options));
  RETURN_IF_ERROR(CheckMixing(options.mixing));
  return check(!options.mixing.any() ||
                   (options.drop_last && options.global_batch % (2 * options.world_size) == 0),
               "mixing: batches of ", options.global_batch, " are not whole pairs of each of ",
               options.world_size, " ranks");
}

// Of images of this size.
size_t ImageBytes(const LoaderOptions& options, int size) {
  return PixelWriter(options.format, options.augmentation.normalization, size, size).image_size();
}

int SizeAt(const LoaderOptions& options, int64_t epoch) {
  int size = options.augmentation.size;
  for (const auto& from : options.sizes) {
    if (epoch >= from.epoch) size = from.size;
  }
  return size;
}

size_t MostImageBytes(const LoaderOptions& options) {
  if (options.sizes.empty()) return ImageBytes(options, options.augmentation.size);
  size_t most = 0;
  for (const auto& from : options.sizes) most = std::max(most, ImageBytes(options, from.size));
  return most;
}

}  // namespace

class Loader::Impl : public DecodePool::Client {
 public:
  Impl(const Dataset& dataset, LoaderOptions options);
  ~Impl() override;

  int64_t steps_per_epoch() const { return steps_per_epoch_; }
  absl::Status Seek(int64_t epoch, int64_t step);
  bool IsReady(std::chrono::milliseconds patience);
  void Pause();
  absl::StatusOr<Batch> Next();
  bool Work(int thread) override;
  int64_t skipped_count() const { return skipped_.size(); }
  std::vector<SkippedSample> skipped_samples() const;

 private:
  // Of images of one size.
  struct Maker {
    Maker(const Augmentation& augmentation, const LoaderOptions& options, VerifiedSamples* verified)
        : size(augmentation.size),
          preprocessor(augmentation, options.format, verified, options.jpeg_device) {}

    const int size;
    Preprocessor preprocessor;
    SampleReading reading;  // Where threads of their own do not read.
  };

  struct Position {
    int64_t epoch = 0;
    int64_t step = 0;
    bool operator==(const Position&) const = default;
  };

  Position After(Position place) const;
  std::shared_ptr<BatchBuffer> Plan(Position place);
  void AnnounceTo(int64_t last);                 // mutex_ held
  void Forget();                                 // mutex_ held, or no thread at work
  void PlanAhead();                              // mutex_ held
  std::shared_ptr<BatchBuffer> Untaken() const;  // mutex_ held
  std::shared_ptr<BatchBuffer> Unasked() const;  // mutex_ held
  void Resume();
  void ReadAhead();
  void Make(BatchBuffer& buffer, int64_t first, int64_t last, Maker& maker);
  void MixPairs(BatchBuffer& buffer, int64_t first, int64_t last);
  absl::Status DropBadSamples(BatchBuffer& buffer);

  const Dataset& dataset_;
  const LoaderOptions options_;
  const int64_t steps_per_epoch_;
  const int64_t window_steps_;  // that are announced at a time
  const int read_depth_;
  const int64_t together_;  // samples that one thread makes
  const std::shared_ptr<DecodePool> threads_;
  VerifiedSamples verified_;
  BatchPool buffers_;
  std::vector<std::optional<Maker>> makers_;  // of each thread

  // Used by the caller's thread only.
  Position next_;            // to be returned
  Position planned_;         // to be planned
  int64_t asked_epoch_ = 0;  // of the batch asked for last
  int64_t order_epoch_ = -1;
  std::vector<int64_t> order_;               // of order_epoch_: draws
  int64_t announced_ = 0;                    // steps of it
  std::map<int64_t, absl::Status> skipped_;  // by id

  // Not absl::Mutex: the thread sanitizer does not see into the prebuilt library.
  std::mutex mutex_;  // Guards what follows, and the counts of pending batches.
  std::condition_variable changed_;
  std::deque<std::shared_ptr<BatchBuffer>> pending_;
  std::deque<std::pair<int64_t, int64_t>> announcements_;  // [first, last) to be read soon
  bool stop_ = false;
  std::vector<std::thread> readers_;
  bool paused_ = true;  // The caller's.
};

Loader::Impl::Impl(const Dataset& dataset, LoaderOptions options)
    : dataset_(dataset),
      options_(std::move(options)),
      steps_per_epoch_(StepsPerEpoch(options_)),
      window_steps_(std::max<int64_t>(1, kWindowSamples / options_.global_batch)),
      read_depth_(dataset_.read_depth()),
      together_(options_.mixing.any() ? 2 : 1),
      threads_(options_.pool != nullptr ? options_.pool
                                        : std::make_shared<DecodePool>(options_.threads)),
      verified_(dataset_.size()),
      buffers_(MostImageBytes(options_) *
                   ((options_.global_batch + options_.world_size - 1) / options_.world_size),
               options_.allocate),
      makers_(threads_->threads()) {}

Loader::Impl::~Impl() { Pause(); }

void Loader::Impl::Resume() {
  if (!std::exchange(paused_, false)) return;
  stop_ = false;
  planned_ = next_;
  asked_epoch_ = next_.epoch;
  {
    const std::lock_guard lock(mutex_);
    PlanAhead();
  }
  threads_->Add(this);
  for (int i = 0; i < read_depth_; ++i) readers_.emplace_back([this] { ReadAhead(); });
}

void Loader::Impl::Pause() {
  if (std::exchange(paused_, true)) return;
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
  }
  changed_.notify_all();
  for (std::thread& reader : readers_) reader.join();
  readers_.clear();
  threads_->Remove(this);
  pending_.clear();
  Forget();
  for (std::optional<Maker>& maker : makers_) maker.reset();
  buffers_.Clear();
}

Loader::Impl::Position Loader::Impl::After(Position place) const {
  return place.step + 1 < steps_per_epoch_ ? Position{place.epoch, place.step + 1}
                                           : Position{place.epoch + 1, 0};
}

// Fills in all but the pixels.
std::shared_ptr<BatchBuffer> Loader::Impl::Plan(Position place) {
  if (order_epoch_ != place.epoch) {
    order_ = options_.sampling.any() ? WeightedOrder(options_.samples, options_.sampling,
                                                     options_.seed, place.epoch, dataset_.size())
                                     : EpochOrder(options_.samples, options_.order, options_.seed,
                                                  place.epoch, options_.global_batch);
    order_epoch_ = place.epoch;
    announced_ = place.step;
  }
  const int64_t first = place.step * options_.global_batch;
  const int64_t count = std::min<int64_t>(options_.global_batch, order_.size() - first);
  if (options_.order == Order::kQuasiRandom) {
    if (place.epoch == asked_epoch_) {
      AnnounceTo((place.step / window_steps_ + 2) * window_steps_);
    } else {
      announced_ = place.step + 1;  // There may be no more epochs.
    }
  }

  const auto [begin, end] = RankShare(count, options_.rank, options_.world_size);
  std::shared_ptr<BatchBuffer> buffer = buffers_.Take();
  buffer->epoch = place.epoch;
  buffer->step = place.step;
  buffer->global_size = count;
  buffer->size = SizeAt(options_, place.epoch);
  buffer->draws.assign(order_.begin() + first + begin, order_.begin() + first + end);
  buffer->sample_ids.clear();
  buffer->labels.clear();
  for (const int64_t draw : buffer->draws) {
    buffer->sample_ids.push_back(draw % dataset_.size());
    buffer->labels.push_back(dataset_.label(buffer->sample_ids.back()));
  }
  if (options_.mixing.any()) {
    buffer->other_labels = buffer->labels;
    buffer->label_shares.assign(buffer->labels.size(), 1);
  }
  buffer->erased.assign(end - begin, {});
  buffer->fields.resize(dataset_.fields().size());
  for (size_t f = 0; f < buffer->fields.size(); ++f) {
    buffer->fields[f].Reset(dataset_.fields()[f], end - begin);
  }
  buffer->statuses.assign(end - begin, absl::OkStatus());
  buffer->taken = buffer->made = buffer->asked = 0;
  if (read_depth_ > 0) buffer->readings.resize(end - begin);
  for (SampleReading& reading : buffer->readings) reading.done = false;
  return buffer;
}

// Announces this rank's samples of all steps before `last` that are still to come, window by window
// and run by run. Those of a server at once, since a sample that is read before its run is
// announced would be fetched twice; of files the workers do.
void Loader::Impl::AnnounceTo(int64_t last) {
  last = std::min(last, steps_per_epoch_);
  while (announced_ < last) {
    std::vector<int64_t> ids;
    const int64_t end = std::min(last, (announced_ / window_steps_ + 1) * window_steps_);
    for (; announced_ < end; ++announced_) {
      const int64_t first = announced_ * options_.global_batch;
      const int64_t count = std::min<int64_t>(options_.global_batch, order_.size() - first);
      const auto [begin, past] = RankShare(count, options_.rank, options_.world_size);
      ids.insert(ids.end(), order_.begin() + first + begin, order_.begin() + first + past);
    }
    std::sort(ids.begin(), ids.end());
    for (size_t i = 0, run = 0; i < ids.size(); ++i) {
      if (i + 1 < ids.size() && ids[i + 1] == ids[i] + 1) continue;
      if (read_depth_ > 0) {
        dataset_.WillRead(ids[run], ids[i] + 1);
      } else {
        announcements_.emplace_back(ids[run], ids[i] + 1);
      }
      run = i + 1;
    }
  }
}

// What was announced: it is announced anew if it comes up again.
void Loader::Impl::Forget() {
  announcements_.clear();
  if (options_.order == Order::kQuasiRandom) dataset_.Forget();
  order_epoch_ = -1;
}

void Loader::Impl::PlanAhead() {
  while (pending_.size() < static_cast<size_t>(options_.prefetch)) {
    pending_.push_back(Plan(planned_));
    planned_ = After(planned_);
  }
  threads_->Wake();
  changed_.notify_all();
}

absl::Status Loader::Impl::Seek(int64_t epoch, int64_t step) {
  if (epoch < 0 || step < 0 || step >= steps_per_epoch_) {
    return absl::InvalidArgumentError(absl::StrCat("loader: cannot seek to epoch ", epoch,
                                                   ", step ", step, " of ", steps_per_epoch_));
  }
  const Position place = {epoch, step};
  if (place == next_) return absl::OkStatus();
  if (paused_) {
    next_ = place;
    return absl::OkStatus();
  }
  const std::lock_guard lock(mutex_);
  Forget();
  pending_.clear();  // a thread that is making one of these holds it until it is done
  next_ = planned_ = place;
  asked_epoch_ = epoch;
  PlanAhead();
  return absl::OkStatus();
}

bool Loader::Impl::IsReady(std::chrono::milliseconds patience) {
  Resume();
  std::unique_lock lock(mutex_);
  return changed_.wait_for(lock, patience, [this] { return pending_.front()->finished(); });
}

absl::StatusOr<Batch> Loader::Impl::Next() {
  Resume();
  std::shared_ptr<BatchBuffer> buffer;
  {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return pending_.front()->finished(); });
    buffer = std::move(pending_.front());
    pending_.pop_front();
    asked_epoch_ = next_.epoch;
    next_ = After(next_);
    PlanAhead();
  }
  const int64_t planned = buffer->sample_ids.size();
  RETURN_IF_ERROR(DropBadSamples(*buffer));
  Batch batch;
  batch.epoch = buffer->epoch;
  batch.step = buffer->step;
  batch.pixels = buffer->pixels.get();
  batch.size = buffer->size;
  batch.labels = buffer->labels;
  batch.other_labels = buffer->other_labels;
  batch.label_shares = buffer->label_shares;
  if (!options_.mixing.any()) batch.erased = buffer->erased;
  batch.sample_ids = buffer->sample_ids;
  batch.fields = buffer->fields;
  batch.global_size = buffer->global_size;
  batch.skipped = planned - static_cast<int64_t>(buffer->sample_ids.size());
  batch.owner = std::move(buffer);
  return batch;
}

// Closes the gaps that damaged samples leave, or returns the first error that is not to be skipped.
absl::Status Loader::Impl::DropBadSamples(BatchBuffer& buffer) {
  const bool skip = options_.on_bad_sample == LoaderOptions::OnBadSample::kSkip;
  for (const absl::Status& status : buffer.statuses) {
    if (!status.ok() && !(skip && absl::IsDataLoss(status))) return status;
  }
  const size_t bytes = ImageBytes(options_, buffer.size);
  size_t kept = 0;
  for (size_t i = 0; i < buffer.statuses.size(); ++i) {
    if (!buffer.statuses[i].ok()) {
      skipped_.emplace(buffer.sample_ids[i], buffer.statuses[i]);
      continue;
    }
    if (kept != i) {
      const uint8_t* from = buffer.pixels.get() + i * bytes;
      std::copy(from, from + bytes, buffer.pixels.get() + kept * bytes);
      buffer.sample_ids[kept] = buffer.sample_ids[i];
      buffer.labels[kept] = buffer.labels[i];
      buffer.erased[kept] = buffer.erased[i];
      for (FieldColumn& field : buffer.fields) field.Move(i, kept);
      if (options_.mixing.any()) {
        buffer.other_labels[kept] = buffer.other_labels[i];
        buffer.label_shares[kept] = buffer.label_shares[i];
      }
    }
    ++kept;
  }
  buffer.sample_ids.resize(kept);
  buffer.labels.resize(kept);
  buffer.erased.resize(kept);
  for (FieldColumn& field : buffer.fields) field.Truncate(kept);
  if (options_.mixing.any()) {
    buffer.other_labels.resize(kept);
    buffer.label_shares.resize(kept);
  }
  return absl::OkStatus();
}

std::vector<SkippedSample> Loader::Impl::skipped_samples() const {
  std::vector<SkippedSample> list;
  for (const auto& [id, status] : skipped_) {
    list.push_back({id, dataset_.name(id), std::string(status.message())});
  }
  return list;
}

// The first batch with samples that no thread has taken and that need not be waited for.
std::shared_ptr<BatchBuffer> Loader::Impl::Untaken() const {
  for (const std::shared_ptr<BatchBuffer>& buffer : pending_) {
    if (buffer->Ready(together_, together_) > 0) return buffer;
  }
  return nullptr;
}

// The first batch with samples whose reading no thread has begun.
std::shared_ptr<BatchBuffer> Loader::Impl::Unasked() const {
  for (const std::shared_ptr<BatchBuffer>& buffer : pending_) {
    if (buffer->asked < static_cast<int64_t>(buffer->readings.size())) return buffer;
  }
  return nullptr;
}

void Loader::Impl::ReadAhead() {
  std::unique_lock lock(mutex_);
  while (true) {
    changed_.wait(lock, [this] { return stop_ || Unasked() != nullptr; });
    if (stop_) return;
    const std::shared_ptr<BatchBuffer> buffer = Unasked();
    const int64_t index = buffer->asked++;
    SampleReading& reading = buffer->readings[index];
    lock.unlock();
    reading.sample = dataset_.Read(buffer->sample_ids[index], reading.bytes);
    lock.lock();
    reading.done = true;
    threads_->Wake();
  }
}

// Samples [first, last) of a batch.
void Loader::Impl::Make(BatchBuffer& buffer, int64_t first, int64_t last, Maker& maker) {
  for (int64_t i = first; i < last; ++i) {
    const int64_t id = buffer.sample_ids[i];
    SampleReading& reading = buffer.readings.empty() ? maker.reading : buffer.readings[i];
    if (buffer.readings.empty()) reading.sample = dataset_.Read(id, reading.bytes);
    const Random random(options_.seed, buffer.epoch, buffer.draws[i]);
    uint8_t* const image = buffer.pixels.get() + i * maker.preprocessor.image_size();
    buffer.statuses[i] = maker.preprocessor.Run(dataset_, reading.sample, id, random, image);
    buffer.erased[i] = maker.preprocessor.erased();
    for (size_t f = 0; buffer.statuses[i].ok() && f < buffer.fields.size(); ++f) {
      buffer.fields[f].Set(i, reading.sample->fields[f]);
    }
  }
  if (options_.mixing.any()) MixPairs(buffer, first, last);
}

void Loader::Impl::MixPairs(BatchBuffer& buffer, int64_t first, int64_t last) {
  const size_t bytes = ImageBytes(options_, buffer.size);
  for (int64_t i = first; i + 1 < last; i += 2) {
    if (!buffer.statuses[i].ok() || !buffer.statuses[i + 1].ok()) continue;
    Random random(options_.seed ^ kMixStream, buffer.epoch, buffer.draws[i]);
    const Mix mix = DrawMix(options_.mixing, buffer.size, random);
    uint8_t* const image = buffer.pixels.get() + i * bytes;
    MixImages(mix, options_.format, buffer.size, image, image + bytes);
    std::swap(buffer.other_labels[i], buffer.other_labels[i + 1]);
    buffer.label_shares[i] = buffer.label_shares[i + 1] =
        static_cast<float>(mix.share) / Mix::kWhole;
  }
}

bool Loader::Impl::Work(int thread) {
  std::unique_lock lock(mutex_);
  if (!announcements_.empty()) {
    const auto [first, last] = announcements_.front();
    announcements_.pop_front();
    lock.unlock();
    dataset_.WillRead(first, last);
    return true;
  }
  const std::shared_ptr<BatchBuffer> buffer = Untaken();
  if (buffer == nullptr) return false;
  const int64_t count = buffer->sample_ids.size();
  const int64_t share = threads_->threads() * together_;
  const int64_t fair = (count + share - 1) / share * together_;
  const int64_t first = buffer->taken;
  const int64_t last = first + buffer->Ready(std::min(fair, kSamplesAtOnce), together_);
  buffer->taken = last;
  lock.unlock();
  std::optional<Maker>& maker = makers_[thread];
  if (!maker.has_value() || maker->size != buffer->size) {
    Augmentation augmentation = options_.augmentation;
    augmentation.size = buffer->size;
    maker.emplace(augmentation, options_, &verified_);
  }
  Make(*buffer, first, last, *maker);
  lock.lock();
  buffer->made += last - first;
  if (buffer->finished()) changed_.notify_all();
  return true;
}

absl::StatusOr<std::unique_ptr<Loader>> Loader::Create(const Dataset& dataset,
                                                       LoaderOptions options) {
  if (options.samples.empty()) {
    options.samples.resize(dataset.size());
    std::iota(options.samples.begin(), options.samples.end(), 0);
  }
  RETURN_IF_ERROR(CheckOptions(dataset, options));
  return absl::WrapUnique(new Loader(std::make_unique<Impl>(dataset, std::move(options))));
}

Loader::Loader(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Loader::~Loader() = default;

void Loader::Pause() { impl_->Pause(); }
int64_t Loader::steps_per_epoch() const { return impl_->steps_per_epoch(); }
absl::Status Loader::Seek(int64_t epoch, int64_t step) { return impl_->Seek(epoch, step); }
bool Loader::IsReady(std::chrono::milliseconds patience) { return impl_->IsReady(patience); }
absl::StatusOr<Batch> Loader::Next() { return impl_->Next(); }
int64_t Loader::skipped_count() const { return impl_->skipped_count(); }
std::vector<SkippedSample> Loader::skipped_samples() const { return impl_->skipped_samples(); }

}  // namespace data
