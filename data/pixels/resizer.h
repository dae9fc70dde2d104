// Resizes part of an image by area: where it shrinks, an output pixel is the mean of the
// source area it covers; where it enlarges, linear interpolation between the nearest pixel centres.
// Pixels outside the part have no influence.
#ifndef DATA_PIXELS_RESIZER_H_
#define DATA_PIXELS_RESIZER_H_

#include <cstdint>
#include <vector>

#include "data/pixels/pixel_region.h"
#include "data/pixels/pixel_writer.h"
#include "data/pixels/resize_kernels.h"

namespace data {

// A rectangle whose edges may lie inside pixels.
struct Area {
  double x = 0;
  double y = 0;
  double width = 0;
  double height = 0;
};

// For one thread at a time; keeps its memory from image to image.
class Resizer {
 public:
  explicit Resizer(const ResizeKernels& kernels = BestResizeKernels()) : kernels_(kernels) {}

  // Writes `part`, in the coordinates of source.rect and inside it, as all of `image`, in the
  // writer's size; right to left if `mirror`. Shrinking by up to 16, results are within 1/16 of a
  // level (of 255).
  void Resize(const PixelRegion& source, const Area& part, bool mirror, const PixelWriter& writer,
              uint8_t* image);

 private:
  // The weights of source pixels first .. first + weights.size() in one output pixel.
  struct Taps {
    int first = 0;
    std::vector<double> weights;
  };

  static void ComputeTaps(double start, double extent, int outputs, int output, Taps& taps);
  void PrepareRows(const PixelRegion& source, const Area& part, int height);
  void PrepareColumns(const Area& part, int width, bool mirror);

  const ResizeKernels kernels_;
  Taps taps_;
  // For each output row: the first source row, the number of rows, where its weights start.
  struct RowTaps {
    int first;
    int count;
    size_t weights;
  };
  std::vector<RowTaps> row_taps_;
  std::vector<uint16_t> row_weights_;
  // For each output column, in source pixels from `left_` on.
  int left_ = 0;
  int right_ = 0;
  std::vector<int32_t> column_first_;
  std::vector<int16_t> column_weights_;
  int column_pairs_ = 0;

  std::vector<int16_t> row_;
  std::vector<int32_t> pixels_;
};

}  // namespace data

#endif  // DATA_PIXELS_RESIZER_H_
