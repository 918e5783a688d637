#include "learner/finetune/finetune.h"

#include <gtest/gtest.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <memory>
#include <nlohmann/json.hpp>
#include <set>
#include <string>

#include "core/error.h"
#include "core/prompt.h"
#include "inference/content_hash.h"
#include "inference/load_lm.h"
#include "inference/tokenizers/tokenizer_json.h"
#include "learner/finetune/rollouts.h"
#include "tests/support/counting_world.h"
#include "tests/support/temp_folder.h"

namespace londi::learner {
namespace {

// Follows the words, riddles too.
class CountingExpert final : public core::Expert {
 public:
  explicit CountingExpert(testing::CountingEnvironment& environment) : environment_(environment) {}
  void Reset() override {}
  std::string Advise(std::string_view) override {
    for (const char* action : {"left", "right"}) {
      const auto copy = environment_.Clone();
      const core::StepResult result = copy->Step(action);
      if (!result.terminated || result.reward > 0) return action;
    }
    return "";
  }

 private:
  testing::CountingEnvironment& environment_;
};

core::EnvironmentWithExpert MakeCounting() {
  auto environment = std::make_unique<testing::CountingEnvironment>();
  auto expert = std::make_unique<CountingExpert>(*environment);
  return {.environment = std::move(environment), .expert = std::move(expert)};
}

FinetuneOptions SmallOptions() {
  return {.model = {.hidden_size = 16,
                    .intermediate_size = 32,
                    .num_layers = 1,
                    .num_heads = 2,
                    .num_kv_heads = 2,
                    .head_dim = 8,
                    .max_positions = 256,
                    .tie_word_embeddings = true},
          .tokenizer = {.vocab_size = 300},
          .examples = {.demonstrations = 50, .collect_every = 20, .episodes = 20},
          .optimizer = {.learning_rate = 1e-2},
          .steps = 250,
          .batch_tokens = 400,
          .validation_episodes = 50,
          .device = "cpu",
          .first_seed = 1000,
          .first_validation_seed = 0};
}

const std::atomic<bool> kGoesOn = false;

// An LM that has learned to act as the expert does; made once, because it takes a while.
const std::filesystem::path& TaughtLm() {
  static const testing::TempFolder folder;
  static const std::filesystem::path lm = [] {
    Finetune finetune(SmallOptions(), MakeCounting, folder / "checkpoint", false, kGoesOn);
    finetune.Run({});
    finetune.Export(folder / "lm");
    return folder / "lm";
  }();
  return lm;
}

core::EnvironmentWithExpert MakeCountingWithoutExpert() {
  return {.environment = std::make_unique<testing::CountingEnvironment>()};
}

core::EnvironmentWithExpert MustNotBeMade() {
  ADD_FAILURE() << "an environment was made";
  return MakeCounting();
}

TEST(Rollouts, TheExpertSolvesWhatItActsOut) {
  const auto episodes =
      RunRollouts(MakeCounting, {}, {.episodes = 30, .student_share = 0, .concurrent = 4}, kGoesOn);

  ASSERT_EQ(episodes.size(), 30u);
  for (const LabelledEpisode& episode : episodes) {
    EXPECT_TRUE(episode.success);
    EXPECT_FALSE(episode.by_student);
    ASSERT_EQ(episode.steps.size(), 8u);
    for (const auto& step : episode.steps) {
      EXPECT_TRUE(step.agreed);
      EXPECT_EQ(episode.text.substr(step.prompt_bytes, step.label.size() + 2),
                " " + step.label + "\n");
    }
  }
}

TEST(Rollouts, AnUntrainedStudentActsAndIsCorrected) {
  testing::TempFolder folder;
  Finetune finetune(SmallOptions(), MakeCounting, folder.path(), false, kGoesOn);
  finetune.Export(folder / "lm");
  const auto student = inference::LoadLm(folder / "lm", {.device = "cpu"});

  const auto episodes = RunRollouts(
      MakeCounting, {.student = student.get()}, {.episodes = 60, .concurrent = 7}, kGoesOn);

  int corrected = 0;
  ASSERT_EQ(episodes.size(), 60u);
  for (const LabelledEpisode& episode : episodes) {
    EXPECT_TRUE(episode.by_student);
    ASSERT_FALSE(episode.steps.empty());
    // One wrong turn ends an episode, so only its last step can be one.
    for (std::size_t i = 0; i + 1 < episode.steps.size(); ++i) EXPECT_TRUE(episode.steps[i].agreed);
    if (episode.steps.back().agreed) continue;
    ++corrected;
    const auto& last = episode.steps.back();
    EXPECT_NE(episode.text.substr(last.prompt_bytes, last.label.size() + 1), " " + last.label);
  }
  EXPECT_GT(corrected, 30);
}

TEST(Rollouts, TheExpertTakesOverAndOnlyItsStepsAreLabels) {
  // A student that does not end its episodes at once.
  const auto student = inference::LoadLm(TaughtLm(), {.device = "cpu"});

  const auto episodes =
      RunRollouts(MakeCounting,
                  {.student = student.get()},
                  {.episodes = 60, .corrections = Corrections::kTakeover, .takeover_steps = 4},
                  kGoesOn);

  std::set<std::size_t> labelled;
  for (const LabelledEpisode& episode : episodes) {
    EXPECT_TRUE(episode.by_student);
    EXPECT_EQ(episode.num_steps, 8);
    labelled.insert(episode.steps.size());
  }
  EXPECT_EQ(labelled, (std::set<std::size_t>{4, 5, 6, 7}));
}

TEST(Rollouts, AnLmCanBeTheTeacherWhereThereIsNoExpert) {
  const auto teacher = inference::LoadLm(TaughtLm(), {.device = "cpu"});

  const auto episodes = RunRollouts(MakeCountingWithoutExpert,
                                    {.teacher = teacher.get()},
                                    {.episodes = 30, .student_share = 0, .concurrent = 4},
                                    kGoesOn);

  ASSERT_EQ(episodes.size(), 30u);
  for (const LabelledEpisode& episode : episodes) {
    EXPECT_TRUE(episode.success);
    EXPECT_EQ(episode.steps.size(), 8u);
  }
}

TEST(Rollouts, AnLmLabelsWhatAnotherDoes) {
  testing::TempFolder folder;
  const auto teacher = inference::LoadLm(TaughtLm(), {.device = "cpu"});
  Finetune untrained(SmallOptions(), MakeCounting, folder / "untrained", false, kGoesOn);
  untrained.Export(folder / "student");
  const auto student = inference::LoadLm(folder / "student", {.device = "cpu"});

  const auto by_expert =
      RunRollouts(MakeCounting, {.student = student.get()}, {.episodes = 40}, kGoesOn);
  const auto by_lm = RunRollouts(MakeCountingWithoutExpert,
                                 {.student = student.get(), .teacher = teacher.get()},
                                 {.episodes = 40},
                                 kGoesOn);

  // It was taught by the expert and does the same.
  ASSERT_EQ(by_lm.size(), by_expert.size());
  for (std::size_t i = 0; i < by_lm.size(); ++i) {
    EXPECT_EQ(by_lm[i].text, by_expert[i].text);
    ASSERT_EQ(by_lm[i].steps.size(), by_expert[i].steps.size());
    for (std::size_t j = 0; j < by_lm[i].steps.size(); ++j)
      EXPECT_EQ(by_lm[i].steps[j].label, by_expert[i].steps[j].label);
  }
}

TEST(Rollouts, AnEpisodeIsLeftAfterTheMostSteps) {
  const auto episodes =
      RunRollouts(MakeCounting, {}, {.episodes = 5, .student_share = 0, .max_steps = 3}, kGoesOn);

  for (const LabelledEpisode& episode : episodes) {
    EXPECT_EQ(episode.num_steps, 3);
    EXPECT_FALSE(episode.success);
  }
}

TEST(Finetune, TeachesAnLmToActAsTheExpertDoesAndSavesIt) {
  testing::TempFolder folder;
  Finetune finetune(SmallOptions(), MakeCounting, folder.path(), false, kGoesOn);
  const double before = static_cast<double>(finetune.Validate(0, 50).Total().successes);

  const bool finished = finetune.Run({});
  finetune.Export(folder / "lm");

  EXPECT_TRUE(finished);
  EXPECT_LT(before, 25);
  const Validation after = finetune.Validate(0, 50);
  EXPECT_EQ(after.Total().successes, 50);
  EXPECT_DOUBLE_EQ(after.teacher_agreement, 1);
  // The folder holds the same LM.
  const auto loaded = inference::LoadLm(folder / "lm", {.device = "cpu"});
  const auto episodes =
      RunRollouts(MakeCounting, {.student = loaded.get()}, {.episodes = 50}, kGoesOn);
  for (const LabelledEpisode& episode : episodes) EXPECT_TRUE(episode.success);
}

TEST(Finetune, TeachesAnLmToActAsAnotherLmDoes) {
  testing::TempFolder folder;
  FinetuneOptions options = SmallOptions();
  options.examples.teacher = TaughtLm();
  Finetune finetune(options, MakeCountingWithoutExpert, folder / "student", false, kGoesOn);

  EXPECT_TRUE(finetune.Run({}));

  const Validation after = finetune.Validate(0, 50);
  EXPECT_EQ(after.Total().successes, 50);
  EXPECT_DOUBLE_EQ(after.teacher_agreement, 1);
}

TEST(Finetune, BeginsWithAnLmThatIsThere) {
  testing::TempFolder folder;
  FinetuneOptions options = SmallOptions();
  options.base = TaughtLm();
  options.model.hidden_size = 24;  // The base has its own shape and tokenizer.
  options.tokenizer.vocab_size = 256;

  Finetune finetune(options, MakeCounting, folder / "checkpoint", false, kGoesOn);

  EXPECT_EQ(finetune.Validate(0, 50).Total().successes, 50);
  finetune.Export(folder / "lm");
  EXPECT_EQ(inference::HashModelFolder(folder / "lm"), inference::HashModelFolder(TaughtLm()));
}

TEST(Finetune, GoesOnWhereItWasStoppedAfterTheBase) {
  testing::TempFolder folder;
  FinetuneOptions options = SmallOptions();
  options.base = TaughtLm();
  std::atomic<bool> stopping = false;
  Finetune first(options, MakeCounting, folder / "checkpoint", false, stopping);
  first.Run([&](const FinetuneProgress& progress) { stopping = progress.step == 5; });
  first.Export(folder / "first");

  Finetune second(options, MakeCounting, folder / "checkpoint", true, kGoesOn);
  second.Export(folder / "second");

  const core::ModelHash stopped = inference::HashModelFolder(folder / "first");
  EXPECT_EQ(inference::HashModelFolder(folder / "second"), stopped);
  EXPECT_NE(inference::HashModelFolder(TaughtLm()), stopped);
}

TEST(Finetune, AMissingBaseIsNamedBeforeAnythingIsActedOut) {
  testing::TempFolder folder;
  FinetuneOptions options = SmallOptions();
  options.base = folder / "nothing";
  EXPECT_THROW(Finetune(options, MustNotBeMade, folder / "student", false, kGoesOn),
               core::ModelError);
  EXPECT_FALSE(std::filesystem::exists(folder / "student"));
}

TEST(Finetune, ABaseWhoseTokenizerIsOfOtherWeightsIsRefusedAtOnce) {
  testing::TempFolder folder;
  FinetuneOptions options = SmallOptions();
  options.base = folder / "mixed";
  std::filesystem::copy(TaughtLm(), options.base);
  auto json = nlohmann::json::parse(inference::ReadTokenizerText(options.base));
  json["model"]["vocab"]["onemore"] = json["model"]["vocab"].size();
  std::ofstream(options.base / "tokenizer.json") << json;

  EXPECT_THROW(Finetune(options, MakeCounting, folder / "student", false, kGoesOn),
               core::ModelError);
  EXPECT_FALSE(std::filesystem::exists(folder / "student"));
}

TEST(Finetune, AMissingTeacherIsNamed) {
  testing::TempFolder folder;
  FinetuneOptions options = SmallOptions();
  options.examples.teacher = folder / "nothing";

  EXPECT_THROW(Finetune(options, MakeCounting, folder / "student", false, kGoesOn),
               core::ModelError);
  EXPECT_FALSE(std::filesystem::exists(folder / "student"));
}

TEST(Finetune, GoesOnWhereItWasStopped) {
  testing::TempFolder folder;
  std::atomic<bool> stopping = false;
  std::int64_t stopped_at = 0;
  {
    Finetune first(SmallOptions(), MakeCounting, folder.path(), false, stopping);
    const bool finished = first.Run([&](const FinetuneProgress& progress) {
      stopped_at = progress.step;
      if (progress.step == 30) stopping = true;
    });
    EXPECT_FALSE(finished);
    EXPECT_EQ(stopped_at, 30);
  }

  Finetune second(SmallOptions(), MakeCounting, folder.path(), true, kGoesOn);
  std::int64_t first_step = 0;
  EXPECT_TRUE(second.Run([&](const FinetuneProgress& progress) {
    if (first_step == 0) first_step = progress.step;
  }));

  EXPECT_EQ(first_step, 31);
  EXPECT_EQ(second.Validate(0, 50).Total().successes, 50);
}

TEST(Finetune, ResumedAfterItsLastStepItCollectsNothingAndSaysWhereItIs) {
  testing::TempFolder folder;
  FinetuneOptions options = SmallOptions();
  options.steps = 3;
  Finetune first(options, MakeCounting, folder.path(), false, kGoesOn);
  EXPECT_TRUE(first.Run({}));
  Finetune second(options, MustNotBeMade, folder.path(), true, kGoesOn);
  FinetuneProgress progress;
  EXPECT_TRUE(second.Run([&](const FinetuneProgress& now) { progress = now; }));

  EXPECT_EQ(progress.step, 3);
  EXPECT_EQ(progress.steps, 3);
}

TEST(Finetune, ResumingNeedsACheckpointAndMakesNoFolderWithoutOne) {
  testing::TempFolder folder;

  EXPECT_THROW(Finetune(SmallOptions(), MakeCounting, folder / "lm" / "checkpoint", true, kGoesOn),
               core::ModelError);
  EXPECT_FALSE(std::filesystem::exists(folder / "lm"));
}

TEST(Finetune, ResumingWithAnotherShapeNamesTheDifference) {
  testing::TempFolder folder;
  std::atomic<bool> stopping = false;
  Finetune first(SmallOptions(), MakeCounting, folder.path(), false, stopping);
  first.Run([&](const FinetuneProgress&) { stopping = true; });
  FinetuneOptions other = SmallOptions();
  other.model.hidden_size = 24;
  other.model.head_dim = 12;

  EXPECT_THROW(Finetune(other, MakeCounting, folder.path(), true, kGoesOn), core::ModelError);
}

TEST(Finetune, StoppedDuringTheDemonstrationsItKeepsNothing) {
  testing::TempFolder folder;
  const std::atomic<bool> stopping = true;
  Finetune finetune(SmallOptions(), MakeCounting, folder.path(), false, stopping);

  EXPECT_FALSE(finetune.Run({}));
  EXPECT_TRUE(std::filesystem::is_empty(folder.path()));
}

TEST(Finetune, NeedsAnEnvironmentWithAnExpert) {
  testing::TempFolder folder;

  EXPECT_THROW(Finetune(SmallOptions(), MakeCountingWithoutExpert, folder.path(), false, kGoesOn),
               core::ConfigError);
}

}  // namespace
}  // namespace londi::learner
