#include "tools/flags/settings_text.h"

#include "gflags/gflags.h"
#include "gtest/gtest.h"
#include "tools/flags/flag_ranges.h"

DEFINE_string(folder, "", "Some text.");
DEFINE_double(rate, 0.05, "A number that no double is.");
FLAG_RANGE(rate, tools::AtLeast(0));
DEFINE_int32(count, 1, "A number.");
FLAG_RANGE(count, tools::FromTo(1, 9));

namespace tools {
namespace {

TEST(SettingsTextTest, WhatWasChangedComesFirstAndNumbersAreAsTyped) {
  const gflags::FlagSaver saver;
  FLAGS_count = 3;
  EXPECT_EQ(SettingsText(),
            "settings that were changed\n"
            "  count   3\n"
            "settings at their defaults\n"
            "  folder  ''\n"
            "  rate    0.05");
  FLAGS_rate = 6e-4;
  EXPECT_NE(SettingsText().find("  count   3\n  rate    0.0006\nsettings at"), std::string::npos);
}

}  // namespace
}  // namespace tools
