#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "inference/tokenizers/tokenizer.h"

namespace londi::learner {

// An episode as text, and what the expert would have done at each step, whoever acted.
struct LabelledEpisode {
  std::string kind;
  std::string text;  // The whole transcript (core::Transcript).
  struct Step {
    std::size_t prompt_bytes = 0;  // text up to here is the step's prompt.
    std::string label;             // The expert's action.
    bool agreed = false;           // The action taken was the expert's.
  };
  std::vector<Step> steps;
  bool by_student = false;  // It acted first.
  bool success = false;
  std::int32_t num_steps = 0;  // All that were taken; `steps` has the labelled ones.
};

// The same as tokens: one training sequence. Row `rows[i]` of the network's output is to predict
// token `targets[i]`.
struct TrainingSequence {
  std::vector<inference::TokenId> tokens;
  std::vector<std::int32_t> rows;
  std::vector<inference::TokenId> targets;
};

// What is taught is p(label + terminator | prompt), token by token as a worker scores it, as far as
// the tokens in the sequence are those of the label: where something else was done, up to and
// including the first token in which both differ.
TrainingSequence Encode(const LabelledEpisode& episode, inference::Tokenizer& tokenizer);

}  // namespace londi::learner
