#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "launch/study/measures.h"
#include "launch/study/results.h"

// Evaluations with known results, for the tests of `londi study`.
namespace londi::testing {

// 40 episodes, alternately of two kinds, of which the first `solved` end well; 10 steps with
// `calls` calls each, in the first steps, which change nothing and were a coin's toss beforehand.
inline std::vector<launch::study::Episode> MakeStudyEpisodes(int solved,
                                                             int calls,
                                                             double cost = 0) {
  std::vector<launch::study::Episode> episodes;
  for (int i = 0; i < 40; ++i) {
    launch::study::Episode episode{.seed = static_cast<std::uint64_t>(i),
                                   .kind = i % 2 == 0 ? "goto" : "open",
                                   .success = i < solved,
                                   .value = (i < solved ? 1.0 : 0.0) - cost * calls,
                                   .steps = 10,
                                   .calls = static_cast<double>(calls),
                                   .tokens = 100.0 + calls,
                                   .gflops = 0.5,
                                   .lm_ms = 2};
    for (int step = 0; step < calls; ++step) {
      episode.call_steps.push_back(step);
      episode.call_disagreements.push_back(0.5);
    }
    episodes.push_back(std::move(episode));
  }
  return episodes;
}

// QUICK solves 20 of 40, DEEPTHINK 36; the Switcher 30 at 10 % of the steps and 36 at 30 %, and 24
// with a budget of 1; the oracle 36 at 10 % and 28 with the budget. `more`: solved by the Switcher
// on top.
inline launch::study::Evaluation MakeStudyEvaluation(int more = 0) {
  using namespace launch::study;
  return {{{.name = kQuick}, MakeStudyEpisodes(20, 0)},
          {{.name = kDeepthink}, MakeStudyEpisodes(36, 10)},
          {{.name = "random"}, MakeStudyEpisodes(25, 3)},
          {{.name = kSwitcher, .cost = 0.05}, MakeStudyEpisodes(30 + more, 1, 0.05)},
          {{.name = kSwitcher, .cost = 0.01}, MakeStudyEpisodes(36 + more, 3, 0.01)},
          {{.name = kSwitcher, .cost = 0.05, .budget = 1}, MakeStudyEpisodes(24 + more, 1, 0.05)},
          {{.name = kOracle, .cost = 0.05}, MakeStudyEpisodes(36, 1, 0.05)},
          {{.name = kOracle, .cost = 0.05, .budget = 1}, MakeStudyEpisodes(28, 1, 0.05)}};
}

}  // namespace londi::testing
