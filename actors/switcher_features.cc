#include "actors/switcher_features.h"

#include <algorithm>
#include <cmath>

#include "actors/random.h"
#include "core/half.h"

namespace londi::actors {
namespace {

constexpr float kLargestScalar = 16.0f;
constexpr float kLargestHidden = 1000.0f;
constexpr int kHistoryLength = 8;
constexpr int kNumActionBits = 16;

// FNV-1a.
std::uint64_t HashText(std::string_view text, std::uint64_t hash = 0xcbf29ce484222325ULL) {
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3ULL;
  return hash;
}

std::uint64_t HashObservation(const core::Observation& observation) {
  std::uint64_t hash = HashText(observation.mission);
  for (const std::string& sentence : observation.sentences)
    hash = HashText(sentence, HashText("\n", hash));
  return hash;
}

// One text of a kind ('o' for a sentence, ...) into its bucket.
void AddText(char kind, std::string_view text, std::span<float> buckets) {
  const std::uint64_t hash = MixWord(HashText(text, HashText({&kind, 1})));
  buckets[static_cast<std::size_t>(hash % buckets.size())] += 1;
}

std::vector<std::string_view> Words(std::string_view text) {
  std::vector<std::string_view> words;
  std::size_t begin = 0;
  while ((begin = text.find_first_not_of(' ', begin)) != std::string_view::npos) {
    const std::size_t end = std::min(text.find(' ', begin), text.size());
    words.push_back(text.substr(begin, end - begin));
    begin = end;
  }
  return words;
}

// Words, and pairs of neighbours: "red ball" is more than "red" and "ball".
void AddWords(std::span<const std::string_view> words, std::span<float> buckets) {
  for (std::size_t i = 0; i < words.size(); ++i) {
    AddText('w', words[i], buckets);
    if (i > 0) AddText('p', {words[i - 1].data(), words[i].end()}, buckets);
  }
}

// `sentence` with each word of the mission replaced by its (first) place there; "" without any.
std::string Delexicalize(std::string_view sentence, std::span<const std::string_view> mission) {
  std::string text;
  bool mentions = false;
  for (const std::string_view word : Words(sentence)) {
    const auto place = std::ranges::find(mission, word);
    if (place == mission.end()) {
      text += word;
    } else {
      text += '#' + std::to_string(place - mission.begin());
      mentions = true;
    }
    text += ' ';
  }
  return mentions ? text : "";
}

// What the learner will read back from fp16: finite, within +-limit.
float Clean(float value, float limit) {
  if (std::isnan(value)) return 0.0f;
  return core::HalfToFloat(core::FloatToHalf(std::clamp(value, -limit, limit)));
}

struct LogProbStatistics {
  float best = 0, gap = 0, mean = 0, spread = 0;
};

LogProbStatistics Describe(const std::vector<float>& log_probs) {
  if (log_probs.empty()) return {};
  // Impossible candidates (-inf) would drown everything else.
  const auto bounded = [](float value) {
    return std::isnan(value) ? -kLargestScalar : std::clamp(value, -kLargestScalar, 0.0f);
  };
  float best = -kLargestScalar, second = -kLargestScalar, sum = 0, squares = 0;
  for (const float log_prob : log_probs) {
    const float value = bounded(log_prob);
    if (value > best) {
      second = best;
      best = value;
    } else {
      second = std::max(second, value);
    }
    sum += value;
    squares += value * value;
  }
  const float count = static_cast<float>(log_probs.size());
  const float mean = sum / count;
  const float variance = std::max(squares / count - mean * mean, 0.0f);
  return {best, log_probs.size() > 1 ? best - second : 0.0f, mean, std::sqrt(variance)};
}

int Count(const std::unordered_map<std::uint64_t, int>& counts, std::uint64_t key) {
  const auto found = counts.find(key);
  return found == counts.end() ? 0 : found->second;
}

constexpr std::string_view kScalarNames[] = {
    "entropy",
    "entropy_share",
    "margin",
    "sequence_prob",
    "best_log_prob",
    "log_prob_gap",
    "mean_log_prob",
    "log_prob_spread",
    "num_actions",
    "step_share",
    "step",
    "return",
    "seen_before",
    "tried_before",
    "same_as_last",
    "no_progress",
};
static_assert(std::size(kScalarNames) == static_cast<std::size_t>(Scalar::kFirstHistory));

}  // namespace

std::vector<std::string> FeatureNames(int hidden) {
  std::vector<std::string> names;
  names.reserve(static_cast<std::size_t>(NumFeatures(hidden)));
  for (int i = 0; i < hidden; ++i) names.push_back("hidden." + std::to_string(i));
  for (int i = 0; i < kNumTextBuckets; ++i) names.push_back("text." + std::to_string(i));
  names.insert(names.end(), std::begin(kScalarNames), std::end(kScalarNames));
  for (int i = 1; i <= kHistoryLength; ++i) {
    names.push_back("activated_before." + std::to_string(i));
    names.push_back("changed_before." + std::to_string(i));
  }
  for (int i = 0; i < kNumActionBits; ++i) names.push_back("action_hash." + std::to_string(i));
  return names;
}

float GetScalar(std::span<const float> features, Scalar scalar) {
  return features[features.size() - kNumScalars + static_cast<std::size_t>(scalar)];
}

bool ActivatedBefore(std::span<const float> features, int ago) {
  const int index = static_cast<int>(Scalar::kFirstHistory) + 2 * (ago - 1);
  return GetScalar(features, static_cast<Scalar>(index)) > 0;
}

void SwitcherFeatures::StartEpisode(int max_steps) {
  *this = SwitcherFeatures();
  max_steps_ = std::max(max_steps, 1);
}

void SwitcherFeatures::Observe(const core::Observation& observation, double reward) {
  here_ = HashObservation(observation);
  return_ += reward;
  const bool is_new = visits_[here_]++ == 0;
  no_progress_ = is_new || reward > 0 ? 0 : no_progress_ + 1;

  text_.fill(0);
  const std::vector<std::string_view> mission = Words(observation.mission);
  AddWords(mission, text_);
  for (const std::string& sentence : observation.sentences) {
    AddText('o', sentence, text_);
    const std::string seen_by_mission = Delexicalize(sentence, mission);
    if (!seen_by_mission.empty()) AddText('d', seen_by_mission, text_);
  }
  if (step_ > 0) AddText('l', last_action_, text_);
}

std::vector<float> SwitcherFeatures::Make(const core::Proposal& quick,
                                          const std::vector<std::string>& actions) const {
  const std::size_t hidden = quick.features.size();
  std::vector<float> features(hidden + kNumTextBuckets + kNumScalars);
  for (std::size_t i = 0; i < hidden; ++i) features[i] = Clean(quick.features[i], kLargestHidden);
  const std::string& action = actions[static_cast<std::size_t>(quick.action)];
  const std::span<float> text = std::span(features).subspan(hidden, kNumTextBuckets);
  std::ranges::copy(text_, text.begin());
  AddText('a', action, text);
  for (float& count : text) count = std::min(count, kLargestScalar);
  const std::span<float> scalars = std::span(features).last(kNumScalars);
  const auto set = [&](int index, double value) {
    scalars[static_cast<std::size_t>(index)] = Clean(static_cast<float>(value), kLargestScalar);
  };
  const auto set_scalar = [&](Scalar scalar, double value) {
    set(static_cast<int>(scalar), value);
  };

  const double log_actions =
      std::log(static_cast<double>(std::max<std::size_t>(actions.size(), 1)));
  const LogProbStatistics statistics = Describe(quick.log_probs);
  set_scalar(Scalar::kEntropy, quick.entropy);
  set_scalar(Scalar::kEntropyShare, log_actions > 0 ? quick.entropy / log_actions : 0);
  set_scalar(Scalar::kMargin, quick.margin);
  set_scalar(Scalar::kSequenceProb, quick.sequence_prob);
  set_scalar(Scalar::kBestLogProb, statistics.best);
  set_scalar(Scalar::kLogProbGap, statistics.gap);
  set_scalar(Scalar::kMeanLogProb, statistics.mean);
  set_scalar(Scalar::kLogProbSpread, statistics.spread);

  const std::uint64_t proposed = HashText(action);
  set_scalar(Scalar::kNumActions, log_actions / 4);
  set_scalar(Scalar::kStepShare, static_cast<double>(step_) / max_steps_);
  set_scalar(Scalar::kStep, step_ / 32.0);
  set_scalar(Scalar::kReturn, return_);
  set_scalar(Scalar::kSeenBefore, (Count(visits_, here_) - 1) * kCountUnit);
  set_scalar(Scalar::kTriedBefore, Count(attempts_, MixWords({here_, proposed})) * kCountUnit);
  set_scalar(Scalar::kSameAsLast, step_ > 0 && action == last_action_ ? 1 : 0);
  set_scalar(Scalar::kNoProgress, no_progress_ * kCountUnit);

  for (int i = 0; i < kHistoryLength; ++i) {
    const PastDecision& past = history_[static_cast<std::size_t>(i)];
    set(static_cast<int>(Scalar::kFirstHistory) + 2 * i, past.activated);
    set(static_cast<int>(Scalar::kFirstHistory) + 2 * i + 1, past.changed);
  }
  set(static_cast<int>(Scalar::kFirstActionBit) +
          static_cast<int>(MixWord(proposed) % kNumActionBits),
      1);
  return features;
}

void SwitcherFeatures::Record(const core::Decision& decision, std::string_view action) {
  last_action_ = action;
  ++attempts_[MixWords({here_, HashText(action)})];
  std::shift_right(history_.begin(), history_.end(), 1);
  history_[0] = {.activated = decision.choice.activate,
                 .changed = decision.action() != decision.quick.action};
  ++step_;
}

}  // namespace londi::actors
