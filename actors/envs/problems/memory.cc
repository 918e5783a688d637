#include "actors/envs/problems/memory.h"

#include <fmt/format.h>

namespace londi::actors::problems {
namespace {

class MemoryProblem final : public Problem {
 public:
  std::string name() const override { return "memory"; }
  std::string Mission() const override { return "remember the light"; }
  int NumSteps() const override { return kMemorySteps; }

  std::vector<std::string> Sentences(std::uint64_t seed, int step) const override {
    if (step > 0) return {};
    return {fmt::format("Light {} of 1", IsOn(seed) ? 1 : 0)};
  }

  std::vector<std::string> Actions(int step) const override {
    if (!IsLast(step)) return {"go on"};
    return {"rush", "take care"};
  }

  Outcome Act(std::uint64_t seed, int step, std::size_t action) const override {
    if (!IsLast(step)) return {};
    const bool survives = action == 1 || !IsOn(seed);
    return {.survives = survives, .reward = survives ? 1.0 : 0.0};
  }

 private:
  static bool IsLast(int step) { return step + 1 == kMemorySteps; }
  static bool IsOn(std::uint64_t seed) { return Draw(seed, 0, 0) < 0.5; }
};

}  // namespace

std::shared_ptr<const Problem> MakeMemoryProblem() { return std::make_shared<MemoryProblem>(); }

}  // namespace londi::actors::problems
