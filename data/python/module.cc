// nqdarts.data._native: what the Python files of the package build upon. Arguments are checked
// there.
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "data/io/printable_name.h"
#include "data/io/sample_field.h"
#include "data/loader/loader.h"
#include "data/pixels/augmentation.h"
#include "data/pixels/mixing.h"
#include "data/pixels/pixel_policy.h"
#include "data/pixels/pixel_writer.h"
#include "data/python/batch_arrays.h"
#include "data/python/errors.h"
#include "data/python/loader_door.h"
#include "data/python/pack_door.h"
#include "data/python/stoppable_dataset.h"
#include "data/shard/packer.h"
#include "data/sources/dataset_summary.h"
#include "data/sources/left_alone.h"
#include "nanobind/nanobind.h"
#include "nanobind/stl/array.h"
#include "nanobind/stl/pair.h"
#include "nanobind/stl/string.h"
#include "nanobind/stl/tuple.h"
#include "nanobind/stl/unique_ptr.h"
#include "nanobind/stl/vector.h"

namespace nb = nanobind;
using namespace nb::literals;

namespace data {
namespace {

// (name, type, shape of a sample's numbers) of each.
std::vector<std::tuple<std::string, std::string, std::vector<int64_t>>> FieldTypes(
    const std::vector<SampleField>& fields) {
  std::vector<std::tuple<std::string, std::string, std::vector<int64_t>>> types;
  for (const SampleField& field : fields) {
    types.emplace_back(PrintableName(field.name), std::string(FieldTypeName(field.type)),
                       field.shape);
  }
  return types;
}

void DefineOptions(nb::module_& module) {
  nb::enum_<Augmentation::Crop>(module, "Crop")
      .value("shift", Augmentation::Crop::kShift)
      .value("resized", Augmentation::Crop::kResized)
      .value("center", Augmentation::Crop::kCenter);
  nb::enum_<Order>(module, "Order")
      .value("sequential", Order::kSequential)
      .value("shuffled", Order::kShuffled)
      .value("quasi_random", Order::kQuasiRandom);
  nb::enum_<PixelFormat>(module, "PixelFormat")
      .value("float32_nchw", PixelFormat::kFloat32Nchw)
      .value("float32_nhwc", PixelFormat::kFloat32Nhwc)
      .value("uint8_nhwc", PixelFormat::kUint8Nhwc);
  nb::enum_<Axes>(module, "Axes").value("nchw", Axes::kNchw).value("nhwc", Axes::kNhwc);
  nb::enum_<Library>(module, "Library")
      .value("numpy", Library::kNumpy)
      .value("torch", Library::kTorch)
      .value("dlpack", Library::kDlpack);
  nb::enum_<LoaderOptions::OnBadSample>(module, "OnBadSample")
      .value("fail", LoaderOptions::OnBadSample::kFail)
      .value("skip", LoaderOptions::OnBadSample::kSkip);

  nb::class_<Normalization>(module, "Normalization")
      .def(nb::init<>())
      .def_rw("mean", &Normalization::mean)
      .def_rw("std", &Normalization::std);
  nb::enum_<PixelPolicy::Kind>(module, "Policy")
      .value("none", PixelPolicy::Kind::kNone)
      .value("trivial", PixelPolicy::Kind::kTrivialAugment)
      .value("rand", PixelPolicy::Kind::kRandAugment);
  nb::class_<PixelPolicy>(module, "PixelPolicy")
      .def(nb::init<>())
      .def_rw("brightness", &PixelPolicy::brightness)
      .def_rw("contrast", &PixelPolicy::contrast)
      .def_rw("saturation", &PixelPolicy::saturation)
      .def_rw("hue", &PixelPolicy::hue)
      .def_rw("kind", &PixelPolicy::kind)
      .def_rw("ops", &PixelPolicy::ops)
      .def_rw("magnitude", &PixelPolicy::magnitude);
  nb::class_<Augmentation>(module, "Augmentation")
      .def(nb::init<>())
      .def_rw("crop", &Augmentation::crop)
      .def_rw("size", &Augmentation::size)
      .def_rw("padding", &Augmentation::padding)
      .def_rw("flip", &Augmentation::flip)
      .def_rw("cutout", &Augmentation::cutout)
      .def_rw("min_area", &Augmentation::min_area)
      .def_rw("max_area", &Augmentation::max_area)
      .def_rw("min_ratio", &Augmentation::min_ratio)
      .def_rw("max_ratio", &Augmentation::max_ratio)
      .def_rw("center", &Augmentation::center)
      .def_rw("policy", &Augmentation::policy)
      .def_rw("normalization", &Augmentation::normalization)
      .def("check", [](const Augmentation& self) { RaiseIfError(CheckAugmentation(self)); });
  module.def("imagenet_train", &ImageNetTrain);
  module.def("imagenet_eval", &ImageNetEval);
  module.def("cifar_train", &CifarTrain);
  module.def("cifar_eval", &CifarEval);

  nb::class_<FieldChoice>(module, "FieldChoice")
      .def(nb::init<>())
      .def_rw("all", &FieldChoice::all)
      .def_rw("names", &FieldChoice::names);
  nb::class_<Mixing>(module, "Mixing")
      .def(nb::init<>())
      .def_rw("mixup", &Mixing::mixup)
      .def_rw("cutmix", &Mixing::cutmix);
  nb::class_<LoaderOptions>(module, "LoaderOptions")
      .def(nb::init<>())
      .def_rw("samples", &LoaderOptions::samples)
      .def_rw("global_batch", &LoaderOptions::global_batch)
      .def_rw("rank", &LoaderOptions::rank)
      .def_rw("world_size", &LoaderOptions::world_size)
      .def_rw("seed", &LoaderOptions::seed)
      .def_rw("order", &LoaderOptions::order)
      .def_rw("drop_last", &LoaderOptions::drop_last)
      .def_rw("augmentation", &LoaderOptions::augmentation)
      .def_prop_rw(
          "sizes",
          [](const LoaderOptions& self) {
            std::vector<std::pair<int64_t, int>> sizes;
            for (const auto& [epoch, size] : self.sizes) sizes.emplace_back(epoch, size);
            return sizes;
          },
          [](LoaderOptions& self, const std::vector<std::pair<int64_t, int>>& sizes) {
            self.sizes.clear();
            for (const auto& [epoch, size] : sizes) self.sizes.push_back({epoch, size});
          })
      .def_rw("mixing", &LoaderOptions::mixing)
      .def_rw("format", &LoaderOptions::format)
      .def_rw("threads", &LoaderOptions::threads)
      .def_rw("prefetch", &LoaderOptions::prefetch)
      .def_rw("on_bad_sample", &LoaderOptions::on_bad_sample);
}

void DefineLoader(nb::module_& module) {
  nb::class_<SkippedSample>(module, "SkippedSample")
      .def_ro("id", &SkippedSample::id)
      .def_ro("name", &SkippedSample::name)
      .def_ro("reason", &SkippedSample::reason);
  nb::class_<LoaderDoor>(module, "Loader")
      .def(nb::init<const std::string&, const std::string&, bool, const FieldChoice&,
                    const LoaderOptions&, bool, Axes, Library>(),
           "path"_a, "kind"_a, "allow_empty_classes"_a, "fields"_a, "options"_a, "class_balanced"_a,
           "axes"_a, "library"_a)
      .def_prop_ro("steps_per_epoch", &LoaderDoor::steps_per_epoch)
      .def_prop_ro("epoch", &LoaderDoor::epoch)
      .def_prop_ro("step", &LoaderDoor::step)
      .def_prop_ro("classes", [](const LoaderDoor& self) { return self.dataset().class_names(); })
      .def_prop_ro("size", [](const LoaderDoor& self) { return self.dataset().size(); })
      .def_prop_ro("fields",
                   [](const LoaderDoor& self) { return FieldTypes(self.dataset().fields()); })
      .def_prop_ro("left_alone",
                   [](const LoaderDoor& self) {
                     return self.dataset().left_alone().Lines(LeftAlone::kNames);
                   })
      .def("name", [](const LoaderDoor& self, int64_t id) { return self.dataset().name(id); })
      .def("check", &LoaderDoor::Check)
      .def("seek", &LoaderDoor::Seek)
      .def("next", &LoaderDoor::Next)
      .def("skipped_samples", &LoaderDoor::SkippedSamples)
      .def("close", &LoaderDoor::Close);
}

void DefinePacking(nb::module_& module) {
  nb::class_<StoppableDataset>(module, "Dataset")
      .def_prop_ro("classes", &StoppableDataset::class_names)
      .def_prop_ro("size", &StoppableDataset::size)
      .def_prop_ro("fields", [](const StoppableDataset& self) { return FieldTypes(self.fields()); })
      .def_prop_ro("left_alone", [](const StoppableDataset& self) {
        return self.left_alone().Lines(LeftAlone::kNames);
      });
  module.def("open", &OpenForReading, "path"_a, "kind"_a, "allow_empty_classes"_a, "fields"_a);

  nb::class_<PackOptions>(module, "PackOptions")
      .def(nb::init<>())
      .def_prop_rw(
          "max_side", [](const PackOptions& self) { return self.sample.max_side; },
          [](PackOptions& self, int value) { self.sample.max_side = value; })
      .def_prop_rw(
          "quality", [](const PackOptions& self) { return self.sample.quality; },
          [](PackOptions& self, int value) { self.sample.quality = value; })
      .def_prop_rw(
          "raw_fraction", [](const PackOptions& self) { return self.sample.raw_fraction; },
          [](PackOptions& self, double value) { self.sample.raw_fraction = value; })
      .def_prop_rw(
          "apply_orientation",
          [](const PackOptions& self) { return self.sample.apply_orientation; },
          [](PackOptions& self, bool value) { self.sample.apply_orientation = value; })
      .def_prop_rw(
          "keep_jpeg", [](const PackOptions& self) { return self.sample.keep_jpeg; },
          [](PackOptions& self, bool value) { self.sample.keep_jpeg = value; })
      .def_rw("samples_per_shard", &PackOptions::samples_per_shard)
      .def_rw("shuffle", &PackOptions::shuffle)
      .def_rw("workers", &PackOptions::workers)
      .def_rw("skip_bad_samples", &PackOptions::skip_bad_samples);
  nb::class_<PackReport>(module, "PackReport")
      .def_ro("samples", &PackReport::samples)
      .def_ro("shards", &PackReport::shards)
      .def_ro("kept_shards", &PackReport::kept_shards)
      .def_ro("bytes", &PackReport::bytes)
      .def_ro("rejected", &PackReport::rejected)
      .def_ro("empty_classes", &PackReport::empty_classes);
  module.def("pack", &PackInterruptibly, "dataset"_a, "folder"_a, "options"_a, "progress"_a.none());

  nb::class_<DamagedSample>(module, "DamagedSample")
      .def_ro("id", &DamagedSample::index)
      .def_ro("name", &DamagedSample::name)
      .def_ro("reason", &DamagedSample::reason);
  nb::class_<DatasetSummary>(module, "DatasetSummary")
      .def_ro("bytes", &DatasetSummary::bytes)
      .def_ro("class_counts", &DatasetSummary::class_counts)
      .def_ro("encoding_counts", &DatasetSummary::encoding_counts)
      .def_ro("side_counts", &DatasetSummary::side_counts)
      .def_ro("bad", &DatasetSummary::bad);
  module.def("summarize", &SummarizeInterruptibly, "dataset"_a, "decode"_a, "threads"_a);
}

}  // namespace
}  // namespace data

NB_MODULE(_native, module) {
  data::DefineOptions(module);
  data::DefineLoader(module);
  data::DefinePacking(module);
}
