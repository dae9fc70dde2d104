#include "tools/flags/settings_text.h"

#include <algorithm>
#include <cstddef>
#include <map>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "gflags/gflags.h"
#include "tools/flags/flag_registry.h"

namespace tools {

std::string SettingsText() {
  std::map<std::string, bool> is_default;
  size_t width = 0;
  for (const gflags::CommandLineFlagInfo& flag : OurFlags()) {
    is_default[flag.name] = flag.current_value == flag.default_value;
    width = std::max(width, flag.name.size());
  }
  const std::map<std::string, std::string> values = EffectiveFlags();
  std::string text;
  for (const bool defaults : {false, true}) {
    absl::StrAppend(&text,
                    defaults ? "\nsettings at their defaults" : "settings that were changed");
    for (const auto& [flag, value] : values) {
      if (is_default[flag] != defaults) continue;
      absl::StrAppendFormat(&text, "\n  %-*s  %s", width, flag, value.empty() ? "''" : value);
    }
  }
  return text;
}

}  // namespace tools
