#include "core/prompt.h"

namespace londi::core {

Transcript::Transcript(const Observation& first) {
  text_ = "Goal: " + first.mission + "\n";
  AppendObservation(first);
}

void Transcript::Append(std::string_view action, const Observation& next) {
  text_ += Candidate(action);
  text_ += kTerminator;
  AppendObservation(next);
}

void Transcript::AppendObservation(const Observation& observation) {
  text_ += "Observation:";
  for (std::size_t i = 0; i < observation.sentences.size(); ++i) {
    text_ += i == 0 ? " " : ", ";
    text_ += observation.sentences[i];
  }
  text_ += "\nAction:";
}

std::vector<std::string> Transcript::Candidates(const std::vector<std::string>& actions) {
  std::vector<std::string> candidates;
  candidates.reserve(actions.size());
  for (const std::string& action : actions) candidates.push_back(Candidate(action));
  return candidates;
}

}  // namespace londi::core
