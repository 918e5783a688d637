#include "configs/strict_yaml.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "configs/duration_text.h"
#include "core/error.h"
#include "tests/support/temp_folder.h"

namespace londi::configs {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

enum class Colour { kRed, kBlue };

struct Sample {
  bool flag = false;
  int rows = 32;
  std::int64_t steps = 5;
  double rate = 0.5;
  std::string text = "a \"quoted\" word";
  std::filesystem::path path;
  std::chrono::milliseconds wait{250};
  std::vector<double> costs = {0, 0.1};
  std::vector<std::string> names = {"x"};
  Colour colour = Colour::kRed;
};

class StrictYaml : public ::testing::Test {
 protected:
  StrictYaml() { Bind(sample_, table_); }

  static void Bind(Sample& sample, OptionTable& table) {
    table.Section("learner", "Learns");
    table.Add("learner.flag", sample.flag, {.meaning = "A flag"});
    table.Add("learner.batch_size",
              sample.rows,
              {.meaning = "Rows per update", .unit = "rows", .min = 1, .max = 4096});
    table.Add("learner.steps", sample.steps, {.meaning = "Steps", .min = 0});
    table.Add("learner.rate", sample.rate, {.meaning = "Rate", .min = 0, .max = 1});
    table.Add("learner.text", sample.text, {.meaning = "Text"});
    table.Add("learner.path", sample.path, {.meaning = "Path"});
    table.Add("learner.wait", sample.wait, {.meaning = "Waits", .min = 0.001, .max = 10});
    table.Add("learner.deep.costs", sample.costs, {.meaning = "Costs", .min = 0, .max = 1});
    table.Add("learner.deep.names", sample.names, {.meaning = "Names", .choices = {"x", "y"}});
    table.AddEnum("learner.colour",
                  sample.colour,
                  {{"red", Colour::kRed}, {"blue", Colour::kBlue}},
                  {.meaning = "Colour"});
  }

  std::string ErrorOf(std::string_view yaml) {
    try {
      table_.ReadText(yaml, "run.yaml", "/folder");
    } catch (const core::ConfigError& error) {
      return error.what();
    }
    return "no error";
  }

  std::string SetErrorOf(std::string_view assignment) {
    try {
      table_.Set(assignment);
    } catch (const core::ConfigError& error) {
      return error.what();
    }
    return "no error";
  }

  Sample sample_;
  OptionTable table_;
};

TEST_F(StrictYaml, ReadsEveryType) {
  table_.ReadText(
      "learner:\n"
      "  flag: true\n"
      "  batch_size: 64\n"
      "  steps: 9000000000\n"
      "  rate: 1e-3\n"
      "  text: hello\n"
      "  path: lms/quick\n"
      "  wait: 1.5s\n"
      "  colour: blue\n"
      "  deep:\n"
      "    costs: [0.25, 1]\n"
      "    names: [y, x]\n",
      "run.yaml",
      "/folder");

  EXPECT_TRUE(sample_.flag);
  EXPECT_EQ(sample_.rows, 64);
  EXPECT_EQ(sample_.steps, 9000000000);
  EXPECT_EQ(sample_.rate, 1e-3);
  EXPECT_EQ(sample_.text, "hello");
  EXPECT_EQ(sample_.path, "/folder/lms/quick");
  EXPECT_EQ(sample_.wait, std::chrono::milliseconds(1500));
  EXPECT_THAT(sample_.costs, ElementsAre(0.25, 1));
  EXPECT_THAT(sample_.names, ElementsAre("y", "x"));
  EXPECT_EQ(sample_.colour, Colour::kBlue);
}

TEST_F(StrictYaml, MisspeltKeyNamesFileLineAndTheNearestKey) {
  EXPECT_THAT(ErrorOf("learner:\n  flag: true\n  bacth_size: 3\n"),
              AllOf(HasSubstr("run.yaml:3"),
                    HasSubstr("'learner.bacth_size'"),
                    HasSubstr("did you mean 'learner.batch_size'?")));
  EXPECT_THAT(ErrorOf("leaner:\n  batch_size: 3\n"), HasSubstr("'learner.batch_size'"));
}

TEST_F(StrictYaml, ValueOutOfRangeNamesKeyValueAndLimits) {
  EXPECT_THAT(ErrorOf("learner:\n  batch_size: 0\n"),
              AllOf(HasSubstr("learner.batch_size is 0 (run.yaml:2)"), HasSubstr("1 to 4096")));
  EXPECT_THAT(ErrorOf("learner: {rate: .nan}\n"), HasSubstr("learner.rate"));
  EXPECT_THAT(ErrorOf("learner:\n  wait: 11s\n"), AllOf(HasSubstr("11s"), HasSubstr("1ms to 10s")));
  EXPECT_THAT(ErrorOf("learner:\n  deep: {costs: [0.1, 7]}\n"), HasSubstr("is 7"));
  EXPECT_EQ(sample_.rows, 32);
}

TEST_F(StrictYaml, ValueOfAnotherTypeIsRefused) {
  EXPECT_THAT(ErrorOf("learner: {batch_size: 1.5}\n"), HasSubstr("whole number"));
  EXPECT_THAT(ErrorOf("learner: {batch_size: 12x}\n"), HasSubstr("whole number"));
  EXPECT_THAT(ErrorOf("learner: {batch_size: [1]}\n"), HasSubstr("a list"));
  EXPECT_THAT(ErrorOf("learner: {batch_size: }\n"), HasSubstr("empty"));
  EXPECT_THAT(ErrorOf("learner: {flag: yes}\n"), HasSubstr("true or false"));
  EXPECT_THAT(ErrorOf("learner: {wait: 5}\n"), HasSubstr("unit"));
  EXPECT_THAT(ErrorOf("learner: {colour: green}\n"), HasSubstr("one of red, blue"));
  EXPECT_THAT(ErrorOf("learner: {deep: {names: [z]}}\n"), HasSubstr("one of x, y"));
  EXPECT_THAT(ErrorOf("learner: {deep: 3}\n"), HasSubstr("unknown key 'learner.deep'"));
}

TEST_F(StrictYaml, ATwiceWrittenKeyIsRefused) {
  EXPECT_THAT(ErrorOf("learner:\n  steps: 1\n  steps: 2\n"),
              AllOf(HasSubstr("'learner.steps' stands twice"), HasSubstr("run.yaml:3")));
}

TEST_F(StrictYaml, BrokenYamlNamesTheLine) {
  EXPECT_THAT(ErrorOf("learner:\n  flag: [true\n"), HasSubstr("run.yaml:"));
  EXPECT_THAT(ErrorOf("just words"), HasSubstr("no sections"));
}

TEST_F(StrictYaml, SetWinsOverTheFileAndIsAsStrict) {
  table_.ReadText("learner: {batch_size: 8}", "run.yaml", "/folder");
  table_.Set("learner.batch_size=16");
  table_.Set("learner.deep.costs=[0.5]");

  EXPECT_EQ(sample_.rows, 16);
  EXPECT_THAT(sample_.costs, ElementsAre(0.5));
  EXPECT_THAT(SetErrorOf("learner.batchsize=1"), HasSubstr("did you mean 'learner.batch_size'"));
  EXPECT_THAT(SetErrorOf("learner.batch_size=-1"), HasSubstr("1 to 4096"));
  EXPECT_THAT(SetErrorOf("learner.batch_size"), HasSubstr("section.key=value"));
}

TEST_F(StrictYaml, WhatItPrintsItReadsBack) {
  sample_ = {.flag = true,
             .rows = 7,
             .rate = 0.1,
             .text = "x: # \"y\"\n",
             .path = "/a/b c",
             .wait = std::chrono::seconds(2),
             .costs = {},
             .names = {"y"},
             .colour = Colour::kBlue};
  const std::string yaml = table_.ToYaml();
  Sample read;
  OptionTable table;
  Bind(read, table);

  table.ReadText(yaml, "copy.yaml", "/elsewhere");

  EXPECT_EQ(table.ToYaml(), yaml);
  EXPECT_EQ(read.text, sample_.text);
  EXPECT_EQ(read.path, sample_.path);
  EXPECT_EQ(read.wait, sample_.wait);
  EXPECT_EQ(read.rate, 0.1);
  EXPECT_TRUE(read.costs.empty());
}

TEST_F(StrictYaml, DescribesDefaultUnitAndLimits) {
  EXPECT_THAT(table_.Describe(),
              AllOf(HasSubstr("learner.batch_size"),
                    HasSubstr("32 rows"),
                    HasSubstr("Rows per update [1 to 4096]"),
                    HasSubstr("250ms")));
}

TEST_F(StrictYaml, AFileOfTheCurrentFolderNamedWithoutAnyFolderIsRead) {
  testing::TempFolder folder;
  std::ofstream(folder / "run.yaml") << "learner: {path: lms/quick}\n";
  const std::filesystem::path before = std::filesystem::current_path();
  std::filesystem::current_path(folder.path());

  EXPECT_NO_THROW(table_.ReadFile("run.yaml"));

  std::filesystem::current_path(before);
  EXPECT_EQ(sample_.path, std::filesystem::canonical(folder.path()) / "lms/quick");
}

TEST_F(StrictYaml, MissingFileIsAnIoError) {
  testing::TempFolder folder;
  EXPECT_THROW(table_.ReadFile(folder / "none.yaml"), core::IoError);
  EXPECT_THROW(table_.ReadFile(folder.path()), core::IoError);
}

TEST(DurationText, RoundTrips) {
  for (const char* text : {"0s", "250us", "2ms", "90s", "20min", "2h", "1500ms"}) {
    EXPECT_EQ(DurationText(ParseDuration(text).value()), text);
  }
  EXPECT_EQ(ParseDuration("1.5s"), std::chrono::milliseconds(1500));
  EXPECT_FALSE(ParseDuration("5"));
  EXPECT_FALSE(ParseDuration("5 s"));
  EXPECT_FALSE(ParseDuration("s"));
}

TEST(DurationText, SpeaksRoughlyToPeople) {
  EXPECT_EQ(RoughDuration(std::chrono::seconds(8)), "8 s");
  EXPECT_EQ(RoughDuration(std::chrono::seconds(200)), "3 min 20 s");
  EXPECT_EQ(RoughDuration(std::chrono::seconds(3900)), "1 h 05 min");
}

}  // namespace
}  // namespace londi::configs
