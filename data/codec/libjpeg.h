// jpeglib.h, which needs two headers and does not include them.
#ifndef DATA_CODEC_LIBJPEG_H_
#define DATA_CODEC_LIBJPEG_H_

// clang-format off
#include <stddef.h>
#include <stdio.h>
#include <jpeglib.h>
// clang-format on

#endif  // DATA_CODEC_LIBJPEG_H_
