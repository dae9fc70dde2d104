// A batch as arrays of Python's libraries, without a copy.
#ifndef DATA_PYTHON_BATCH_ARRAYS_H_
#define DATA_PYTHON_BATCH_ARRAYS_H_

#include <vector>

#include "data/io/sample_field.h"
#include "data/loader/loader.h"
#include "nanobind/nanobind.h"

namespace data {

enum class Library { kNumpy, kTorch, kDlpack };

// How pixels are seen, whatever lies in memory.
enum class Axes {
  kNchw,  // [n, 3, height, width]
  kNhwc,  // [n, height, width, 3]
};

struct ImageLayout {
  PixelFormat format = PixelFormat::kFloat32Nchw;
  Axes axes = Axes::kNchw;
};

// (images, labels [n] int64, sample ids [n] int64), of mixed images (images, labels, other labels
// [n] int64, shares of the labels [n] float32, sample ids), and last a dict of the fields by name:
// lists of bytes or None, and of numbers arrays [n, shape]. Arrays lie over the batch's memory and
// live as long as any of them does, whatever becomes of the loader. In a process forked off from
// the one that made them they stay valid, and are never given back.
nanobind::tuple BatchArrays(Batch batch, const ImageLayout& layout, Library library,
                            const std::vector<SampleField>& fields);

}  // namespace data

#endif  // DATA_PYTHON_BATCH_ARRAYS_H_
