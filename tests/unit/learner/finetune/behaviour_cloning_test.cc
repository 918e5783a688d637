#include "learner/finetune/behaviour_cloning.h"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>
#include <gtest/gtest.h>

#include <vector>

#include "core/error.h"
#include "inference/models/llama.h"

namespace londi::learner {
namespace {

// Two episodes that count up by one, with one label behind each last token.
const TrainingSequence kShort{.tokens = {1, 2, 3, 4}, .rows = {3}, .targets = {9}};
const TrainingSequence kLong{.tokens = {3, 4, 5, 6, 7, 8}, .rows = {5}, .targets = {9}};

BehaviourCloning Taught(double text_loss_weight) {
  const inference::ModelSpec spec{.vocab_size = 10,
                                  .hidden_size = 16,
                                  .intermediate_size = 32,
                                  .num_layers = 1,
                                  .num_heads = 2,
                                  .num_kv_heads = 2,
                                  .head_dim = 8,
                                  .max_positions = 16,
                                  .tie_word_embeddings = true};
  BehaviourCloning cloning(inference::RandomLlama(spec, 1, at::kCPU),
                           {.text_loss_weight = text_loss_weight});
  const TrainingSequence* batch[] = {&kShort, &kLong};
  for (int i = 0; i < 150; ++i) cloning.Step(batch, 1e-2);
  return cloning;
}

// How many of kLong's tokens are the likeliest after those before them.
std::int64_t TextKnown(const BehaviourCloning& cloning) {
  const at::NoGradGuard no_grad;
  const std::vector<std::int64_t> tokens(kLong.tokens.begin(), kLong.tokens.end());
  const at::Tensor text = at::tensor(tokens, at::kLong);
  const at::Tensor next =
      inference::LlamaLogits(
          cloning.weights(),
          inference::LlamaHiddenOfSequences(
              cloning.weights(), text, std::vector{static_cast<std::int64_t>(tokens.size())}))
          .argmax(1);
  return next.slice(0, 0, -1).eq(text.slice(0, 1)).sum().item<std::int64_t>();
}

double LabelAccuracy(BehaviourCloning& cloning) {
  const TrainingSequence* batch[] = {&kShort, &kLong};
  return cloning.Step(batch, 1e-9).accuracy;
}

TEST(BehaviourCloning, TeachesTheLabelsAlone) {
  BehaviourCloning cloning = Taught(0);
  EXPECT_EQ(LabelAccuracy(cloning), 1);
  EXPECT_LT(TextKnown(cloning), 3);
}

TEST(BehaviourCloning, TeachesTheTextToo) {
  BehaviourCloning cloning = Taught(0.5);
  EXPECT_EQ(LabelAccuracy(cloning), 1);
  EXPECT_EQ(TextKnown(cloning), 5);
}

TEST(BehaviourCloning, RefusesAWeightBelowZero) {
  EXPECT_THROW(AdamWOptions{.text_loss_weight = -1}.Validate(), core::ConfigError);
}

}  // namespace
}  // namespace londi::learner
