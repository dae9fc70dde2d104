#include "data/codec/test_images.h"

#include <png.h>

#include <cstdio>
#include <cstdlib>

#include "data/codec/libjpeg.h"
#include "data/pixels/random.h"
#include "glog/logging.h"

namespace data {

Bytes DrawPicture(int width, int height, uint64_t seed) {
  Random random(seed);
  const int period = 5 + static_cast<int>(random.Below(40));
  Bytes pixels(size_t{3} * width * height);
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x) {
      uint8_t* pixel = &pixels[3 * (size_t(y) * width + x)];
      const bool tile = (x / period + y / period) % 2;
      pixel[0] = (255 * x / width + seed) % 256;
      pixel[1] = tile ? 200 : 255 * y / height;
      pixel[2] = (tile ? 40 : 90) + random.Below(60);
    }
  }
  return pixels;
}

std::string MakeExif(int orientation, bool little) {
  std::string exif("Exif\0\0", 6);
  const auto append = [&exif, little](uint32_t value, int size) {
    for (int i = 0; i < size; ++i)
      exif += static_cast<char>(value >> 8 * (little ? i : size - 1 - i));
  };
  exif += little ? "II" : "MM";
  append(42, 2);     // TIFF
  append(8, 4);      // where the directory is
  append(1, 2);      // entries
  append(0x112, 2);  // orientation,
  append(3, 2);      // a 16-bit number,
  append(1, 4);      // just one
  append(orientation, 2);
  append(0, 2);
  append(0, 4);  // no other directory
  return exif;
}

Bytes MakeJpeg(int width, int height, uint64_t seed, const JpegOptions& options) {
  const Bytes picture = DrawPicture(width, height, seed);
  jpeg_compress_struct jpeg;
  jpeg_error_mgr errors;
  jpeg.err = jpeg_std_error(&errors);
  jpeg_create_compress(&jpeg);
  unsigned char* memory = nullptr;
  unsigned long size = 0;  // NOLINT: libjpeg's type
  jpeg_mem_dest(&jpeg, &memory, &size);
  jpeg.image_width = width;
  jpeg.image_height = height;
  jpeg.input_components = options.components;
  jpeg.in_color_space = options.components == 1   ? JCS_GRAYSCALE
                        : options.components == 3 ? JCS_RGB
                                                  : JCS_CMYK;
  jpeg_set_defaults(&jpeg);
  if (options.ycck) jpeg_set_colorspace(&jpeg, JCS_YCCK);
  jpeg_set_quality(&jpeg, options.quality, TRUE);
  jpeg.comp_info[0].h_samp_factor = options.sampling_across;
  jpeg.comp_info[0].v_samp_factor = options.sampling_down;
  if (options.components == 4) {
    jpeg.comp_info[3].h_samp_factor = options.sampling_across;
    jpeg.comp_info[3].v_samp_factor = options.sampling_down;
  }
  if (options.progressive) jpeg_simple_progression(&jpeg);
  static constexpr jpeg_scan_info kScans[] = {
      {1, {0}, 0, 63, 0, 0}, {1, {1}, 0, 63, 0, 0}, {1, {2}, 0, 63, 0, 0}};
  if (!options.interleaved) {
    jpeg.scan_info = kScans;
    jpeg.num_scans = 3;
  }
  jpeg.restart_in_rows = options.restart_rows;
  jpeg_start_compress(&jpeg, TRUE);
  if (!options.app1.empty()) {
    jpeg_write_marker(&jpeg, JPEG_APP0 + 1, reinterpret_cast<const JOCTET*>(options.app1.data()),
                      options.app1.size());
  }
  Bytes row(size_t(options.components) * width);
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x) {
      const uint8_t* pixel = &picture[3 * (size_t(y) * width + x)];
      for (int c = 0; c < options.components; ++c) {
        row[options.components * x + c] = c < 3 ? pixel[c] : 255 - pixel[0] / 4;
      }
    }
    JSAMPROW rows[] = {row.data()};
    jpeg_write_scanlines(&jpeg, rows, 1);
  }
  jpeg_finish_compress(&jpeg);
  jpeg_destroy_compress(&jpeg);
  const Bytes result(memory, memory + size);
  free(memory);
  return result;
}

Bytes MakePng(int width, int height, uint64_t seed) {
  const Bytes picture = DrawPicture(width, height, seed);
  png_image image = {};
  image.version = PNG_IMAGE_VERSION;
  image.width = width;
  image.height = height;
  image.format = PNG_FORMAT_RGB;
  png_alloc_size_t size = PNG_IMAGE_PNG_SIZE_MAX(image);
  Bytes result(size);
  CHECK(png_image_write_to_memory(&image, result.data(), &size, 0, picture.data(), 0, nullptr));
  result.resize(size);
  return result;
}

}  // namespace data
