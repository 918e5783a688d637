#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "actors/evaluation.h"
#include "tests/support/counting_world.h"
#include "tests/support/fake_clock.h"
#include "tests/support/fake_language_model.h"

namespace londi::actors {

// How often each seed was played.
struct SeedLog {
  std::mutex mutex;
  std::map<std::uint64_t, int> times;
};

// Ten steps with three actions each; nothing is at stake.
class Corridor final : public core::Environment {
 public:
  explicit Corridor(SeedLog& log) : log_(log) {}
  core::Observation Reset(std::uint64_t seed) override {
    const std::lock_guard lock(log_.mutex);
    ++log_.times[seed];
    seed_ = seed;
    step_ = 0;
    return See();
  }
  core::StepResult Step(std::string_view) override {
    ++step_;
    return {.observation = See(), .truncated = step_ == 10};
  }
  std::vector<std::string> AdmissibleActions() const override { return {"a", "b", "c"}; }
  int MaxSteps() const override { return 10; }
  std::string Kind() const override { return "corridor"; }
  std::unique_ptr<core::Environment> Clone() const override { return nullptr; }

 private:
  core::Observation See() const {
    return {.mission = std::to_string(seed_), .sentences = {std::to_string(step_)}};
  }
  SeedLog& log_;
  std::uint64_t seed_ = 0;
  int step_ = 0;
};

inline EvaluationOptions Episodes(std::int64_t episodes, std::int32_t threads = 4) {
  EvaluationOptions options;
  options.episodes = options.min_episodes = episodes;
  options.threads = threads;
  return options;
}

// What evaluators are made of: CountingEnvironment, where DEEPTHINK knows better, or the corridor,
// where both LMs answer by a hash.
class EvaluatorTest : public ::testing::Test {
 protected:
  Evaluator::Parts CountingParts() { return CountingParts(quick_); }
  Evaluator::Parts CountingParts(core::LanguageModel& quick) {
    return {.make_environment = [] { return std::make_unique<testing::CountingEnvironment>(); },
            .quick = quick,
            .deepthink = deepthink_,
            .clock = clock_};
  }
  Evaluator::Parts CorridorParts() {
    return {.make_environment = [this] { return std::make_unique<Corridor>(seeds_); },
            .quick = hashed_,
            .deepthink = hashed_,
            .clock = clock_};
  }
  static std::vector<std::uint64_t> SeedsOf(const CellResult& result) {
    std::vector<std::uint64_t> seeds;
    for (const EpisodeRow& row : result.rows) seeds.push_back(row.seed);
    return seeds;
  }

  testing::FakeClock clock_;
  testing::CountingLm quick_{core::Tier::kQuick}, deepthink_{core::Tier::kDeepthink};
  testing::FakeLanguageModel hashed_;
  SeedLog seeds_;
};

}  // namespace londi::actors
