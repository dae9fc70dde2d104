// Parts of images, for tests of decoders.
#ifndef DATA_CODEC_TEST_REGIONS_H_
#define DATA_CODEC_TEST_REGIONS_H_

#include "data/codec/test_images.h"
#include "data/io/encoded_sample.h"
#include "data/pixels/pixel_region.h"
#include "data/pixels/random.h"

namespace data {

// `jpeg`, which must outlive it, as a file of that size.
EncodedSample SampleOf(const Bytes& jpeg, int width, int height, bool verified = false);

// Of an image of that size, with a pixel at least.
Rect RandomRect(int width, int height, Random& random);

// `rect` rounded outwards to pixels of 2^log2_shrink.
Rect ShrunkRect(const Rect& rect, int log2_shrink);

// The RGB pixels of `rect`, which `region` must cover.
Bytes Cut(const PixelRegion& region, const Rect& rect);

}  // namespace data

#endif  // DATA_CODEC_TEST_REGIONS_H_
