// `londi finetune` as people use it: a small LM of a small world, and from that LM on to a harder
// one.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "tests/support/run_command.h"
#include "tests/support/temp_folder.h"
#include "tests/support/tiny_lms.h"

namespace londi::launch {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

class FinetuneCommand : public ::testing::Test {
 protected:
  testing::CommandResult Finetune(const std::string& name,
                                  const std::string& environment,
                                  const std::string& model) {
    const auto file = temp_ / (name + ".yaml");
    std::ofstream(file) << "finetune: {output: " << name
                        << ", threads: 1, steps: 4, batch_tokens: 200, validation_episodes: 2, "
                           "validate_every: 2, final_episodes: 3}\nenvironment: {id: "
                        << environment << "}\nmodel: {" << model
                        << "}\nexamples: {demonstrations: 8, collect_every: 2, episodes: 4}\n";
    return testing::RunCommand(std::string(LONDI_BINARY) + " finetune " + file.string(), 60);
  }

  testing::TempFolder temp_;
};

constexpr const char* kSmall =
    "hidden_size: 8, intermediate_size: 16, num_layers: 1, num_heads: 1, num_kv_heads: 1, "
    "head_dim: 8, max_positions: 65536";

TEST_F(FinetuneCommand, MakesAnLmWithAModelCardAndAHarderOneFromIt) {
  const auto first = Finetune("easy", "babyai/GoToRedBallNoDists", kSmall);

  ASSERT_EQ(first.status, 0) << first.output;
  for (const char* file : {"config.json", "model.safetensors", "tokenizer.json"})
    EXPECT_TRUE(std::filesystem::exists(temp_ / "easy" / file)) << file;
  EXPECT_FALSE(std::filesystem::exists(temp_ / "easy" / "checkpoint"));
  EXPECT_THAT(testing::ReadText(temp_ / "easy" / "README.md"),
              AllOf(HasSubstr("londi finetune easy.yaml"), HasSubstr("on 3 episodes")));

  const auto second = Finetune("harder", "babyai/GoToRedBall", "base: easy");

  ASSERT_EQ(second.status, 0) << second.output;
  EXPECT_EQ(testing::ReadText(temp_ / "harder" / "tokenizer.json"),
            testing::ReadText(temp_ / "easy" / "tokenizer.json"));
  EXPECT_THAT(testing::ReadText(temp_ / "harder" / "README.md"),
              AllOf(HasSubstr("from the LM easy on"), HasSubstr("1 layers, width 8")));
}

TEST_F(FinetuneCommand, AValidationIsToldOnceAndOfItsOwnStep) {
  const auto result = Finetune("easy", "babyai/GoToRedBallNoDists", kSmall);

  // Of steps 2 and 4 only the former is validated: the end is, on other episodes.
  EXPECT_THAT(result.output,
              AllOf(HasSubstr("step 2: success"), Not(HasSubstr("step 4: success"))));
  EXPECT_THAT(result.output, HasSubstr("(3 unseen episodes"));
}

}  // namespace
}  // namespace londi::launch
