#include "tools/flags/flag_choices.h"

#include <string>

#include "gflags/gflags.h"
#include "gtest/gtest.h"

DEFINE_string(shape, "", "A shape.");
FLAG_CHOICES(shape, {"circle", "square"});
DEFINE_string(anything, "", "Any text.");

namespace tools {
namespace {

std::string ErrorOf(const char* flag, const char* value) {
  const gflags::FlagSaver saver;
  gflags::SetCommandLineOption(flag, value);
  return std::string(CheckChoice(gflags::GetCommandLineFlagInfoOrDie(flag)).message());
}

TEST(FlagChoicesTest, WhatIsDeclaredIsTakenAndTheDefault) {
  EXPECT_EQ(ErrorOf("shape", "circle"), "");
  EXPECT_EQ(ErrorOf("shape", "square"), "");
  EXPECT_EQ(ErrorOf("shape", ""), "");
  EXPECT_EQ(ErrorOf("anything", "circl"), "");
}

TEST(FlagChoicesTest, OtherValuesAreRefusedWithTheNearestOne) {
  EXPECT_EQ(ErrorOf("shape", "sqaure"),
            "--shape=sqaure: must be one of circle, square; did you mean square?");
  EXPECT_EQ(ErrorOf("shape", "x"), "--shape=x: must be one of circle, square");
  EXPECT_EQ(ErrorOf("shape", "\xff"), "--shape=\\xFF: must be one of circle, square");
}

}  // namespace
}  // namespace tools
