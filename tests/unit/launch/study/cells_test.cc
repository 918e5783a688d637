#include "launch/study/cells.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <string>
#include <vector>

#include "core/error.h"
#include "tests/support/temp_folder.h"

namespace londi::launch::study {
namespace {

configs::StudyConfig MakeConfig(const std::filesystem::path& folder) {
  configs::StudyConfig config;
  config.name = "s";
  config.folder = folder;
  config.seeds = {3, 4};
  config.variants = {"full", "less learner.agreement_rows=false"};
  return config;
}

TEST(MakeCells, GoesSeedBySeedAndAsksTheOracleOnce) {
  const std::vector<Cell> cells = MakeCells(MakeConfig("/somewhere"));

  ASSERT_EQ(cells.size(), 4u);
  EXPECT_EQ(cells[0].Text(), "full, seed 3");
  EXPECT_EQ(cells[1].Text(), "less, seed 3");
  EXPECT_EQ(cells[2].Text(), "full, seed 4");
  EXPECT_EQ(cells[1].folder, "/somewhere/s/less/seed-3");
  EXPECT_EQ(cells[1].variant.sets, (std::vector<std::string>{"learner.agreement_rows=false"}));
  for (std::size_t i = 0; i < cells.size(); ++i) EXPECT_EQ(cells[i].oracle, i == 0);
  configs::StudyConfig without = MakeConfig("/somewhere");
  without.oracle = false;
  EXPECT_FALSE(MakeCells(without)[0].oracle);
}

TEST(NextStep, GoesOnWhereItStopped) {
  const CellState begun{.trained = false}, trained{.trained = true};
  EXPECT_EQ(NextStep({}, false, false), Step::kTrain);
  EXPECT_EQ(NextStep(begun, true, false), Step::kResume);
  EXPECT_EQ(NextStep(trained, true, false), Step::kEvaluate);
  EXPECT_EQ(NextStep(trained, true, true), Step::kDone);
  EXPECT_EQ(NextStep(begun, false, false), Step::kTrain);  // Killed before the run's folder was.
}

TEST(CellState, SurvivesOnDiskAndSaysWhenItIsDamaged) {
  testing::TempFolder temp;
  const Cell cell{.folder = temp.path()};
  EXPECT_FALSE(ReadState(cell).trained);
  EXPECT_TRUE(ReadState(cell).config.empty());

  WriteState(cell, {.config = {"a = 1"}, .trained = true, .evaluated = {{"", 2.5}}});

  EXPECT_TRUE(ReadState(cell).trained);
  EXPECT_EQ(ReadState(cell).evaluated, (std::map<std::string, double>{{"", 2.5}}));
  EXPECT_EQ(ReadState(cell).config, (std::vector<std::string>{"a = 1"}));
  std::ofstream(cell.state()) << R"({"trained": true, "evaluation_seconds": 9, "config": []})";
  EXPECT_TRUE(ReadState(cell).trained);  // As studies wrote it before: to be evaluated anew.
  EXPECT_TRUE(ReadState(cell).evaluated.empty());
  std::ofstream(cell.state()) << "{\"trained\":";
  EXPECT_THROW(ReadState(cell), core::Error);
}

TEST(Cell, HasAnEvaluationForEachPlaceAndItsChanges) {
  const Cell cell{.folder = "/cell"};
  const configs::NamedSets test{"test", {"environment.id=a", "evaluation.threads=1"}};
  EXPECT_EQ(cell.evaluation(), "/cell/evaluation.json");
  EXPECT_EQ(cell.evaluation(test), "/cell/evaluation-test.json");
  EXPECT_EQ(EvaluationKey({}), "");
  EXPECT_EQ(EvaluationKey(test), "test environment.id=a evaluation.threads=1");
}

TEST(CellState, KnowsOneEvaluationOfANameForTheyShareAFile) {
  const configs::NamedSets a{"test", {"environment.id=a"}}, b{"test", {"environment.id=b"}};
  CellState state{.evaluated = {{"", 1}, {"testing", 1}, {EvaluationKey(a), 1}}};
  EXPECT_TRUE(IsEvaluated(state, a));
  EXPECT_FALSE(IsEvaluated(state, b));

  state.evaluated[EvaluationKey(b)] = 1;  // As studies wrote it before.
  EXPECT_FALSE(IsEvaluated(state, a)) << "whose is the file?";
  EXPECT_FALSE(IsEvaluated(state, b));

  ForgetEvaluation(state, a);
  EXPECT_EQ(state.evaluated, (std::map<std::string, double>{{"", 1}, {"testing", 1}}));
  EXPECT_TRUE(IsEvaluated(state, {}));
  ForgetEvaluation(state, {});
  EXPECT_EQ(state.evaluated, (std::map<std::string, double>{{"testing", 1}}));
}

TEST(TimeLeft, CountsWhatIsLeftAsLongAsTheMeanOfWhatIsDone) {
  using Seconds = std::chrono::duration<double>;
  Work left, done;
  EXPECT_EQ(TimeLeft(left, done), Seconds(0));
  left.AddTraining(Seconds(60));
  EXPECT_EQ(TimeLeft(left, done), Seconds(60));
  left.evaluations = 2;
  EXPECT_FALSE(TimeLeft(left, done));
  done.AddEvaluation(10);
  done.AddEvaluation(20);
  EXPECT_EQ(TimeLeft(left, done), Seconds(90));
  done.AddTraining(Seconds(5));  // Shorter than run.duration allows, as with former rows.
  done.AddTraining(Seconds(7));
  EXPECT_EQ(TimeLeft(left, done), Seconds(36));
}

TEST(StudyCells, OptionsThatCameSinceACellWasBegunCountAsTheirDefaults) {
  EXPECT_EQ(WithNewOptions({"a = 1", "study.oracle = true"}, {"a = 0", "b = 2", "c = x = y"}),
            (std::vector<std::string>{"a = 1", "study.oracle = true", "b = 2", "c = x = y"}));
}

}  // namespace
}  // namespace londi::launch::study
