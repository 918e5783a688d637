#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/environment.h"
#include "core/language_model.h"

// A toy problem whose best Switcher is known: follow the words. Each step names a direction,
// plainly or as a riddle; one wrong turn ends the episode without a reward. QUICK answers riddles
// wrongly, and knows that it is unsure; DEEPTHINK is always right. So at any cost below
// reward / riddles, the best Switcher calls at riddles and nowhere else.
namespace londi::testing {

class CountingEnvironment final : public core::Environment {
 public:
  static constexpr int kSteps = 8;

  core::Observation Reset(std::uint64_t seed) override {
    state_ = seed * 0x9e3779b97f4a7c15ULL + 1;
    step_ = 0;
    over_ = false;
    return Next();
  }

  core::StepResult Step(std::string_view action) override {
    if (action != "left" && action != "right") {
      core::ThrowInadmissible(action, AdmissibleActions());
    }
    const bool right = action == (go_left_ ? "left" : "right");
    ++step_;
    core::StepResult result;
    result.terminated = over_ = !right || step_ == kSteps;
    result.reward = right && step_ == kSteps ? 1 : 0;
    result.observation = Next();
    return result;
  }

  std::vector<std::string> AdmissibleActions() const override { return {"left", "right"}; }
  int MaxSteps() const override { return kSteps; }
  std::string Kind() const override { return "counting"; }
  std::unique_ptr<core::Environment> Clone() const override {
    return std::make_unique<CountingEnvironment>(*this);
  }

 private:
  core::Observation Next() {
    state_ = state_ * 6364136223846793005ULL + 1442695040888963407ULL;
    const bool riddle = (state_ >> 40) % 4 == 0;
    go_left_ = (state_ >> 50) % 2 == 0;
    const std::string word = go_left_ ? "left" : "right";
    return {.mission = "follow the words", .sentences = {(riddle ? "riddle " : "plain ") + word}};
  }

  std::uint64_t state_ = 1;
  int step_ = 0;
  bool over_ = false;
  bool go_left_ = false;
};

// Reads the last observation of the prompt.
class CountingLm final : public core::LanguageModel {
 public:
  explicit CountingLm(core::Tier tier) : tier_(tier) {}

  core::Proposal Propose(const core::LmRequest& request) override {
    const std::string_view prompt = request.prompt;
    const std::string_view last = prompt.substr(prompt.rfind("Observation:"));
    const bool riddle = last.find("riddle") != std::string_view::npos;
    const bool left = last.find("left") != std::string_view::npos;
    const bool fooled = riddle && tier_ == core::Tier::kQuick;
    core::Proposal proposal;
    for (const std::string& candidate : request.candidates) {
      const bool says_left = candidate.find("left") != std::string::npos;
      proposal.log_probs.push_back((says_left == left) != fooled ? -0.1f : riddle ? -0.5f : -6.0f);
    }
    proposal.features = {riddle ? 1.0f : 0.0f, left ? 1.0f : 0.0f, 0.5f, -0.5f};
    proposal.usage = {.prompt_tokens = 10, .computed_tokens = 4, .flops = 1e6, .batch_size = 1};
    proposal.model = tier_ == core::Tier::kQuick ? "0000000000000001" : "0000000000000002";
    core::SummarizeLogProbs(proposal);
    return proposal;
  }

 private:
  const core::Tier tier_;
};

}  // namespace londi::testing
