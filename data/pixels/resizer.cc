#include "data/pixels/resizer.h"

#include <algorithm>
#include <cmath>
#include <cstddef>

namespace data {
namespace {

constexpr size_t kVectorSlack = 32;  // elements that the kernels may touch behind a row

// Rounds `weights`, which add up to 1, to whole numbers that add up to `total`.
template <typename T>
void Quantize(const std::vector<double>& weights, int total, T* to) {
  double sum = 0;
  int given = 0;
  for (const double weight : weights) {
    sum += weight;
    const int now = &weight == &weights.back() ? total : static_cast<int>(std::lround(sum * total));
    *to++ = static_cast<T>(now - given);
    given = now;
  }
}

}  // namespace

void Resizer::ComputeTaps(double start, double extent, int outputs, int output, Taps& taps) {
  const double scale = extent / outputs;
  const int low = static_cast<int>(std::floor(start));
  const int high = std::max(low + 1, static_cast<int>(std::ceil(start + extent)));
  taps.weights.clear();
  if (scale >= 1) {
    const double begin = start + output * scale, end = begin + scale;
    taps.first = std::clamp(static_cast<int>(std::floor(begin)), low, high - 1);
    const int last = std::clamp(static_cast<int>(std::ceil(end)), taps.first + 1, high);
    for (int k = taps.first; k < last; ++k) {
      taps.weights.push_back(std::max(0.0, std::min(k + 1.0, end) - std::max<double>(k, begin)) /
                             scale);
    }
  } else {
    const double center =
        std::clamp(start + (output + 0.5) * scale - 0.5, static_cast<double>(low), high - 1.0);
    taps.first = std::min(static_cast<int>(center), high - 1);
    const double fraction = center - taps.first;
    taps.weights.push_back(1 - fraction);
    if (fraction > 0) taps.weights.push_back(fraction);
  }
}

void Resizer::PrepareRows(const PixelRegion& source, const Area& part, int height) {
  row_taps_.clear();
  row_weights_.clear();
  for (int y = 0; y < height; ++y) {
    ComputeTaps(part.y, part.height, height, y, taps_);
    const int count = static_cast<int>(taps_.weights.size());
    row_taps_.push_back({taps_.first - source.rect.y, count, row_weights_.size()});
    row_weights_.resize(row_weights_.size() + count);
    // A lone weight of 1 is 65535: what is lost, the kernels' rounding gives back.
    Quantize(taps_.weights, 65535, &row_weights_[row_weights_.size() - count]);
  }
}

void Resizer::PrepareColumns(const Area& part, int width, bool mirror) {
  const int even = width + width % 2;
  const double scale = part.width / width;
  column_pairs_ = scale >= 1 ? (static_cast<int>(std::ceil(scale)) + 2) / 2 : 1;
  column_first_.assign(even, 0);
  column_weights_.assign(size_t{8} * even * column_pairs_, 0);
  left_ = static_cast<int>(std::floor(part.x));
  right_ = std::max(left_ + 1, static_cast<int>(std::ceil(part.x + part.width)));
  std::vector<int16_t>& quantized = row_;  // not yet in use
  quantized.resize(2 * column_pairs_);
  for (int x = 0; x < width; ++x) {
    ComputeTaps(part.x, part.width, width, mirror ? width - 1 - x : x, taps_);
    std::fill(quantized.begin(), quantized.end(), 0);
    Quantize(taps_.weights, 1 << 14, quantized.data());
    column_first_[x] = taps_.first - left_;
    int16_t* to = &column_weights_[size_t{8} * (x / 2 * column_pairs_ * 2 + x % 2)];
    for (int pair = 0; pair < column_pairs_; ++pair) {
      for (int c = 0; c < 4; ++c) {
        to[16 * pair + 2 * c] = quantized[2 * pair];
        to[16 * pair + 2 * c + 1] = quantized[2 * pair + 1];
      }
    }
  }
}

void Resizer::Resize(const PixelRegion& source, const Area& part, bool mirror,
                     const PixelWriter& writer, uint8_t* image) {
  PrepareRows(source, part, writer.height());
  PrepareColumns(part, writer.width(), mirror);
  const size_t count = size_t{4} * (right_ - left_);
  row_.resize(count + 8 * column_pairs_ + kVectorSlack);
  pixels_.resize(size_t{4} * column_first_.size());
  const uint8_t* const columns = source.pixels + 4 * (left_ - source.rect.x);
  const ColumnTaps taps = {column_first_.data(), column_weights_.data(), column_pairs_};
  for (int y = 0; y < writer.height(); ++y) {
    const RowTaps& rows = row_taps_[y];
    kernels_.blend_rows(columns + rows.first * source.stride, source.stride,
                        &row_weights_[rows.weights], rows.count, count, row_.data());
    kernels_.blend_columns(row_.data(), taps, column_first_.size(), pixels_.data());
    writer.WriteRow(pixels_.data(), y, image);
  }
}

}  // namespace data
