#include "data/python/batch_arrays.h"

#include <unistd.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "data/io/printable_name.h"
#include "nanobind/ndarray.h"

namespace nb = nanobind;

namespace data {
namespace {

struct HeldBatch {
  Batch batch;
  pid_t process;
};

void Release(void* pointer) noexcept {
  auto* const held = static_cast<HeldBatch*>(pointer);
  // The pool's lock may have been held when the process was forked off.
  if (held->process == getpid()) delete held;
}

template <typename Framework>
nb::object ArrayOf(void* data, size_t ndim, const size_t* shape, const int64_t* strides,
                   const nb::capsule& owner, nb::dlpack::dtype dtype) {
  return nb::cast(nb::ndarray<Framework>(data, ndim, shape, owner, strides, dtype));
}

nb::dlpack::dtype_code CodeOf(FieldType type) {
  switch (type) {
    case FieldType::kBool:
      return nb::dlpack::dtype_code::Bool;
    case FieldType::kInt8:
    case FieldType::kInt16:
    case FieldType::kInt32:
    case FieldType::kInt64:
      return nb::dlpack::dtype_code::Int;
    case FieldType::kFloat16:
    case FieldType::kFloat32:
    case FieldType::kFloat64:
      return nb::dlpack::dtype_code::Float;
    default:
      return nb::dlpack::dtype_code::UInt;
  }
}

nb::dlpack::dtype DtypeOf(FieldType type) {
  return {static_cast<uint8_t>(CodeOf(type)), static_cast<uint8_t>(8 * NumberSize(type)), 1};
}

template <typename Framework>
nb::dict FieldValues(const Batch& batch, const nb::capsule& owner,
                     const std::vector<SampleField>& fields) {
  nb::dict values;
  for (size_t f = 0; f < fields.size(); ++f) {
    const SampleField& field = fields[f];
    nb::object value;
    if (field.type == FieldType::kBytes) {
      nb::list list;
      for (const std::optional<std::string>& bytes : batch.fields[f].bytes()) {
        list.append(bytes.has_value() ? nb::object(nb::bytes(bytes->data(), bytes->size()))
                                      : nb::none());
      }
      value = list;
    } else {
      std::vector<size_t> shape = {batch.sample_ids.size()};
      shape.insert(shape.end(), field.shape.begin(), field.shape.end());
      value = ArrayOf<Framework>(const_cast<uint8_t*>(batch.fields[f].numbers().data()),
                                 shape.size(), shape.data(), nullptr, owner, DtypeOf(field.type));
    }
    values[nb::str(PrintableName(field.name).c_str())] = value;
  }
  return values;
}

template <typename Framework>
nb::tuple Arrays(HeldBatch& held, const nb::capsule& owner, const ImageLayout& layout,
                 const std::vector<SampleField>& fields) {
  const Batch& batch = held.batch;
  const size_t count = batch.labels.size(), size = batch.size;
  constexpr size_t kChannels = 3;
  const int64_t image = kChannels * size * size;
  const bool interleaved = layout.format != PixelFormat::kFloat32Nchw;
  const int64_t channel = interleaved ? 1 : size * size;
  const int64_t column = interleaved ? kChannels : 1;
  const int64_t row = column * size;
  const bool nchw = layout.axes == Axes::kNchw;
  const auto shape = nchw ? std::array<size_t, 4>{count, kChannels, size, size}
                          : std::array<size_t, 4>{count, size, size, kChannels};
  const auto strides = nchw ? std::array<int64_t, 4>{image, channel, row, column}
                            : std::array<int64_t, 4>{image, row, column, channel};
  const nb::dlpack::dtype dtype =
      layout.format == PixelFormat::kUint8Nhwc ? nb::dtype<uint8_t>() : nb::dtype<float>();
  const auto numbers = [&](const int64_t* data) {
    return ArrayOf<Framework>(const_cast<int64_t*>(data), 1, &count, nullptr, owner,
                              nb::dtype<int64_t>());
  };
  const nb::object images =
      ArrayOf<Framework>(batch.pixels, shape.size(), shape.data(), strides.data(), owner, dtype);
  const nb::dict values = FieldValues<Framework>(batch, owner, fields);
  if (batch.other_labels.data() == nullptr) {
    return nb::make_tuple(images, numbers(batch.labels.data()), numbers(batch.sample_ids.data()),
                          values);
  }
  return nb::make_tuple(images, numbers(batch.labels.data()), numbers(batch.other_labels.data()),
                        ArrayOf<Framework>(const_cast<float*>(batch.label_shares.data()), 1, &count,
                                           nullptr, owner, nb::dtype<float>()),
                        numbers(batch.sample_ids.data()), values);
}

}  // namespace

nb::tuple BatchArrays(Batch batch, const ImageLayout& layout, Library library,
                      const std::vector<SampleField>& fields) {
  auto* const held = new HeldBatch{std::move(batch), getpid()};
  const nb::capsule owner(held, &Release);
  switch (library) {
    case Library::kNumpy:
      return Arrays<nb::numpy>(*held, owner, layout, fields);
    case Library::kTorch:
      return Arrays<nb::pytorch>(*held, owner, layout, fields);
    case Library::kDlpack:
      return Arrays<nb::array_api>(*held, owner, layout, fields);
  }
  return nb::make_tuple();
}

}  // namespace data
