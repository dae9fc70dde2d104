// Names as files have them, made fit for JSON, logs and terminals.
#ifndef DATA_IO_PRINTABLE_NAME_H_
#define DATA_IO_PRINTABLE_NAME_H_

#include <string>

#include "absl/strings/string_view.h"

namespace data {

// `name`, with each byte that is not part of valid UTF-8, and each control character, as \xHH: so
// "caf\xe9" of an old disk is written caf\xE9. Other names stay as they are.
std::string PrintableName(absl::string_view name);

}  // namespace data

#endif  // DATA_IO_PRINTABLE_NAME_H_
