// Standard output is a result like any other: what does not arrive there is an error.
#ifndef TOOLS_FLAGS_STANDARD_STREAMS_H_
#define TOOLS_FLAGS_STANDARD_STREAMS_H_

#include "absl/status/status.h"

namespace tools {

// Occupies the descriptors 0 to 2 where the caller has closed them, so that no file opened later
// gets one of them, and with it what is printed. Writing to these fails.
void OccupyClosedStreams();

// Unavailable if anything printed could not be written.
absl::Status FlushStandardOutput();

}  // namespace tools

#endif  // TOOLS_FLAGS_STANDARD_STREAMS_H_
