// A small picture to draw into: rectangles and words, and PNG.
#ifndef BASE_PICTURE_H_
#define BASE_PICTURE_H_

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace base {

class Picture {
 public:
  using Color = std::array<uint8_t, 3>;  // Red, green, blue.

  // A character of Word() with the space behind it, and its height.
  static constexpr int kLetterWidth = 12, kLetterHeight = 16;

  // White.
  Picture(int width, int height);

  int width() const { return width_; }
  int height() const { return height_; }
  Color At(int x, int y) const;

  // The pixels x <= px < x + width, y <= py < y + height, as far as the picture has them.
  void Fill(int x, int y, int width, int height, Color color);

  // `word` with its upper left corner at (x, y): small letters, digits and _; others are blank.
  void Word(int x, int y, absl::string_view word, Color color);

  // Internal if libpng fails.
  absl::StatusOr<std::string> Png() const;

 private:
  const int width_, height_;
  std::vector<uint8_t> rgb_;  // Row by row.
};

}  // namespace base

#endif  // BASE_PICTURE_H_
