#include "learner/finetune/labelled_episode.h"

#include <gtest/gtest.h>

#include "inference/tokenizers/tokenizer_json.h"
#include "learner/finetune/bpe_trainer.h"

namespace londi::learner {
namespace {

// "A:" and " go\n" are tokens, " " and letters otherwise.
inference::Tokenizer MakeTokenizer() {
  const std::vector<std::string> texts(4, "A: go\nA: no\n");
  return inference::Tokenizer(
      inference::ParseTokenizer(TrainTokenizer(texts, {.vocab_size = 400}), "test"));
}

std::string TextUpTo(inference::Tokenizer& tokenizer, const TrainingSequence& sequence, int row) {
  return tokenizer.Decode({sequence.tokens.begin(), sequence.tokens.begin() + row + 1});
}

TEST(LabelledEpisode, ALabelIsPredictedFromExactlyItsPrompt) {
  auto tokenizer = MakeTokenizer();
  const LabelledEpisode episode{
      .text = "A: go\nA: no\n",
      .steps = {{.prompt_bytes = 2, .label = "go"}, {.prompt_bytes = 8, .label = "no"}}};

  const TrainingSequence sequence = Encode(episode, tokenizer);

  ASSERT_EQ(sequence.rows.size(), 2u);
  EXPECT_EQ(TextUpTo(tokenizer, sequence, sequence.rows[0]), "A:");
  EXPECT_EQ(tokenizer.Decode({sequence.targets[0]}), " go\n");
  EXPECT_EQ(TextUpTo(tokenizer, sequence, sequence.rows[1]), "A: go\nA:");
  EXPECT_EQ(tokenizer.Decode({sequence.targets[1]}), " no\n");
}

TEST(LabelledEpisode, ACorrectionIsTaughtThoughSomethingElseWasDone) {
  auto tokenizer = MakeTokenizer();
  const LabelledEpisode episode{.text = "A: no\n", .steps = {{.prompt_bytes = 2, .label = "go"}}};

  const TrainingSequence sequence = Encode(episode, tokenizer);

  ASSERT_EQ(sequence.rows.size(), 1u);
  EXPECT_EQ(TextUpTo(tokenizer, sequence, sequence.rows[0]), "A:");
  EXPECT_EQ(tokenizer.Decode({sequence.targets[0]}), " go\n");
}

TEST(LabelledEpisode, OfALongLabelTheTokensUpToTheFirstDifferenceAreTaught) {
  auto tokenizer = MakeTokenizer();  // What was never seen is spelt byte by byte.
  const LabelledEpisode episode{.text = "A: xyz\n", .steps = {{.prompt_bytes = 2, .label = "xqz"}}};

  const TrainingSequence sequence = Encode(episode, tokenizer);

  std::string taught;
  for (const inference::TokenId target : sequence.targets) taught += tokenizer.Decode({target});
  EXPECT_EQ(taught, " xq");
}

TEST(LabelledEpisode, AStepWithoutALabelTeachesNothing) {
  auto tokenizer = MakeTokenizer();

  EXPECT_TRUE(Encode({.text = "A: no\n"}, tokenizer).rows.empty());
}

}  // namespace
}  // namespace londi::learner
