#include "learner/finetune/labelled_episode.h"

#include <algorithm>
#include <string_view>

#include "core/prompt.h"

namespace londi::learner {
namespace {

using Ids = std::vector<inference::TokenId>;

std::size_t CommonPrefix(const Ids& a, const Ids& b) {
  const std::size_t shorter = std::min(a.size(), b.size());
  return static_cast<std::size_t>(
      std::mismatch(a.begin(), a.begin() + static_cast<std::ptrdiff_t>(shorter), b.begin()).first -
      a.begin());
}

}  // namespace

TrainingSequence Encode(const LabelledEpisode& episode, inference::Tokenizer& tokenizer) {
  TrainingSequence sequence;
  const Ids taken = tokenizer.Encode(episode.text);
  sequence.tokens = tokenizer.prefix();
  sequence.tokens.insert(sequence.tokens.end(), taken.begin(), taken.end());

  inference::GrowingEncoding growing;
  const std::size_t shift = tokenizer.prefix().size();
  for (const LabelledEpisode::Step& step : episode.steps) {
    tokenizer.Extend(growing, std::string_view(episode.text).substr(0, step.prompt_bytes));
    const Ids path = tokenizer.EncodeContinuation(
        growing,
        core::Transcript::Candidate(step.label) + std::string(core::Transcript::kTerminator));
    Ids labelled(growing.ids.begin(),
                 growing.ids.begin() + static_cast<std::ptrdiff_t>(growing.stable_ids));
    labelled.insert(labelled.end(), path.begin(), path.end());
    const std::size_t same = CommonPrefix(labelled, taken);
    for (std::size_t i = CommonPrefix(labelled, growing.ids); i < labelled.size() && i <= same;
         ++i) {
      if (shift + i == 0) continue;  // Nothing stands before it.
      sequence.rows.push_back(static_cast<std::int32_t>(shift + i - 1));
      sequence.targets.push_back(labelled[i]);
    }
  }
  return sequence;
}

}  // namespace londi::learner
