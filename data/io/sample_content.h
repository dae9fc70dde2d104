// A hash that tells a stored sample from others.
#ifndef DATA_IO_SAMPLE_CONTENT_H_
#define DATA_IO_SAMPLE_CONTENT_H_

#include <cstdint>

#include "data/io/encoded_sample.h"

namespace data {

// Of the sample's bytes, encoding, size as far as it is known, and fields; never 0.
uint64_t SampleContent(const EncodedSample& sample);

}  // namespace data

#endif  // DATA_IO_SAMPLE_CONTENT_H_
