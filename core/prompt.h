#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/environment.h"

namespace londi::core {

// Turns an episode into the text an LM reads. Append-only: the prompt of step t is a prefix of that
// of step t+1, so inference workers re-use the prefix and finetuning packs a whole episode as one
// sequence.
//
//   Goal: go to the red ball\n
//   Observation: You see a wall 3 steps forward, You see a red ball 2 steps left\n
//   Action: go forward\n
//   Observation: ...\n
//   Action:
//
// A candidate is " " + action with the terminator "\n".
class Transcript {
 public:
  Transcript() = default;
  explicit Transcript(const Observation& first);  // Starts an episode.

  // Records what was done and what is seen now.
  void Append(std::string_view action, const Observation& next);

  // Ends with "Action:", ready for a candidate.
  const std::string& prompt() const { return text_; }

  static std::string Candidate(std::string_view action) { return " " + std::string(action); }
  static std::vector<std::string> Candidates(const std::vector<std::string>& actions);
  static constexpr std::string_view kTerminator = "\n";

 private:
  void AppendObservation(const Observation& observation);
  std::string text_;
};

}  // namespace londi::core
