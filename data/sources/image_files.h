// What tells images from other files, and JPEG from PNG.
#ifndef DATA_SOURCES_IMAGE_FILES_H_
#define DATA_SOURCES_IMAGE_FILES_H_

#include <cstdint>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "data/io/encoded_sample.h"

namespace data {

// By the extension, in any case: .jpg, .jpeg, .jpe, .jfif, .png.
bool IsImageName(absl::string_view name);

// The same of formats that are not read: .webp, .bmp, .gif, .tiff and their like.
bool IsOtherImageName(absl::string_view name);

// By the first bytes, for names lie. What is not a PNG is for the JPEG decoder to judge.
Encoding SniffEncoding(absl::Span<const uint8_t> bytes);

}  // namespace data

#endif  // DATA_SOURCES_IMAGE_FILES_H_
