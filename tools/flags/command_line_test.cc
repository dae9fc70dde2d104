#include "tools/flags/command_line.h"

#include <stdlib.h>

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/file.h"
#include "gflags/gflags.h"
#include "gtest/gtest.h"
#include "tools/flags/flag_ranges.h"
#include "tools/flags/flag_registry.h"
#include "tools/flags/renamed_flags.h"

DEFINE_string(text, "default", "Some text.");
DEFINE_bool(yes, false, "Yes or no.");
DEFINE_int32(number, 1, "A number.");
FLAG_RANGE(number, tools::FromTo(1, 9));
DEFINE_string(weight_lr, "", "Has the new name of a flag.");

namespace tools {
namespace {

std::string ErrorOf(const std::vector<std::string>& argv) {
  return std::string(ParseCommandLine(argv).status().message());
}

class CommandLineTest : public testing::Test {
  const gflags::FlagSaver saver_;
};

TEST_F(CommandLineTest, EveryWayToWriteAFlag) {
  const auto parsed = ParseCommandLine({"--text=a=b", "--yes", "-number", "-3"});
  ASSERT_TRUE(parsed.ok()) << parsed.status();
  EXPECT_EQ(FLAGS_text, "a=b");
  EXPECT_TRUE(FLAGS_yes);
  EXPECT_EQ(FLAGS_number, -3);  // Out of its range, which is not the parser's business.
  EXPECT_TRUE(GivenByUser("text") && GivenByUser("yes") && GivenByUser("number"));
  ASSERT_TRUE(ParseCommandLine({"--noyes", "--text", "", "--number=1", "--number=2"}).ok());
  EXPECT_FALSE(FLAGS_yes);
  EXPECT_EQ(FLAGS_text, "");
  EXPECT_EQ(FLAGS_number, 2);
}

TEST_F(CommandLineTest, ArgumentsAreWhatIsNoFlag) {
  const auto parsed = ParseCommandLine({"one", "--yes", "-", "--", "--text=x", "--help"});
  ASSERT_TRUE(parsed.ok()) << parsed.status();
  EXPECT_EQ(parsed->question, Question::kNone);
  EXPECT_EQ(parsed->arguments, (std::vector<std::string>{"one", "-", "--text=x", "--help"}));
  EXPECT_EQ(FLAGS_text, "default");
}

TEST_F(CommandLineTest, ErrorsNameTheFlag) {
  EXPECT_EQ(ErrorOf({"--nothing=1"}), "--nothing: there is no such flag; --help lists them");
  EXPECT_EQ(ErrorOf({"--notext"}),
            "--notext: there is no such flag; did you mean --text? --help lists them");
  EXPECT_EQ(ErrorOf({"--\xff"}), "--\\xFF: there is no such flag; --help lists them");
  EXPECT_EQ(ErrorOf({"--numbre=1"}),
            "--numbre: there is no such flag; did you mean --number? --help lists them");
  EXPECT_EQ(ErrorOf({"--noyse"}),
            "--noyse: there is no such flag; did you mean --noyes? --help lists them");
  EXPECT_EQ(ErrorOf({"--number=x"}), "--number=x: must be a whole number from 1 to 9");
  EXPECT_EQ(ErrorOf({"--number=99999999999"}),
            "--number=99999999999: must be a whole number from 1 to 9");
  EXPECT_EQ(ErrorOf({"--number"}), "--number: has no value; it must be a whole number from 1 to 9");
  EXPECT_EQ(ErrorOf({"--yes=perhaps"}), "--yes=perhaps: must be true or false");
  // gflags' own ways to set flags pass over errors.
  EXPECT_EQ(ErrorOf({"--flagfile=x"}), "--flagfile: there is no such flag; --help lists them");
}

TEST_F(CommandLineTest, AFileOfSettingsStandsBeforeTheCommandLine) {
  const std::string path = absl::StrCat(getenv("TEST_TMPDIR"), "/settings");
  const auto write = [&](const char* text) {
    ASSERT_TRUE(base::WriteFileAtomically(path, text).ok());
  };
  write("# Of a run.\n\n  --text=of the file \nnumber=3\nyes\n");
  ASSERT_TRUE(ParseCommandLine({"--number=4", "--settings=" + path}).ok());
  EXPECT_EQ(FLAGS_text, "of the file");
  EXPECT_EQ(FLAGS_number, 4);
  EXPECT_TRUE(FLAGS_yes);
  ASSERT_TRUE(ParseCommandLine({"--settings", path, "--noyes"}).ok());
  EXPECT_EQ(FLAGS_number, 3);
  EXPECT_FALSE(FLAGS_yes);

  write("number=3\nnumbr=3\n");
  EXPECT_EQ(ErrorOf({"--settings=" + path}),
            path + ":2: --numbr: there is no such flag; did you mean --number? --help lists them");
  write("number=x");
  EXPECT_EQ(ErrorOf({"--settings=" + path}),
            path + ":1: --number=x: must be a whole number from 1 to 9");
  write("settings=other");
  EXPECT_EQ(ErrorOf({"--settings=" + path}),
            path + ":1: --settings: stands on a command line only");
  EXPECT_EQ(ErrorOf({"--settings=" + path + "x"}).rfind("--settings: ", 0), 0);
  // Behind -- everything is an argument.
  EXPECT_TRUE(ParseCommandLine({"--", "--settings=" + path}).ok());
}

TEST_F(CommandLineTest, AnOldNameIsRefusedWithTheNewOne) {
  EXPECT_EQ(ErrorOf({"--lr=0.1"}), "--lr: is --weight_lr now");
  EXPECT_EQ(ErrorOf({"--arch", "DARTS"}), "--arch: is --architecture now");
  EXPECT_EQ(NewNameOf("weight_lr"), "");
}

TEST_F(CommandLineTest, HelpListsEveryFlagAndPreset) {
  EXPECT_EQ(ParseCommandLine({"--nothing", "--help"})->question, Question::kHelp);
  const std::string help = HelpText("Does it.", {{"fast", {{"number", "2"}}}});
  EXPECT_EQ(help.rfind("Does it.\n", 0), 0);
  EXPECT_NE(help.find("--number=1  (a whole number from 1 to 9)\n    A number.\n"),
            std::string::npos);
  EXPECT_NE(help.find("--preset=fast stands for\n    --number=2\n"), std::string::npos);
  EXPECT_EQ(help.find("flagfile"), std::string::npos);
  EXPECT_EQ(help.find("--minloglevel="), std::string::npos);
}

TEST_F(CommandLineTest, FullHelpHasTheLoggingLibrarysFlags) {
  EXPECT_EQ(ParseCommandLine({"--help=all"})->question, Question::kFullHelp);
  const std::string help = HelpText("Does it.", {}, /*all=*/true);
  EXPECT_NE(help.find("--number=1  "), std::string::npos);
  EXPECT_NE(help.find("--minloglevel=0  (int32)\n"), std::string::npos);
  EXPECT_EQ(help.find("flagfile"), std::string::npos);
}

TEST_F(CommandLineTest, VersionIsAQuestion) {
  EXPECT_EQ(ParseCommandLine({"--nothing", "--version"})->question, Question::kVersion);
  EXPECT_EQ(ParseCommandLine({"--", "--version"})->question, Question::kNone);
}

TEST_F(CommandLineTest, APresetIsWrittenAsFlags) {
  EXPECT_EQ(PresetText({{"number", "2"}, {"text", "x"}}), "--number=2\n--text=x\n");
}

}  // namespace
}  // namespace tools
