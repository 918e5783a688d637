// Advices and demonstrations per second of the BabyAI expert on one core; environment steps, texts
// and resets included, and once without them.
//
//   bench_babyai_bot [seconds per level] [babyai/Level ...]
//
// One CSV row per level:
// name,level,episodes,solved,advices,seconds,demonstrations_per_s,us_per_advice
// (the last one: the expert alone).
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "actors/envs/make_environment.h"

namespace {

using Clock = std::chrono::steady_clock;
using Seconds = std::chrono::duration<double>;

void Measure(const std::string& level, double seconds) {
  const auto pair = londi::actors::MakeEnvironmentWithExpert(level);
  std::uint64_t episodes = 0;
  std::uint64_t solved = 0;
  std::uint64_t advices = 0;
  Seconds in_expert{0};
  Seconds elapsed{0};
  const Clock::time_point start = Clock::now();
  while (elapsed.count() < seconds) {
    pair.environment->Reset(episodes++);
    pair.expert->Reset();
    std::string action;
    for (bool done = false; !done; ++advices) {
      const Clock::time_point asked_at = Clock::now();
      action = pair.expert->Advise(action);
      in_expert += Clock::now() - asked_at;
      if (action.empty()) break;
      const auto result = pair.environment->Step(action);
      done = result.done();
      solved += result.reward > 0;
    }
    elapsed = Clock::now() - start;
  }
  std::printf("babyai_bot,%s,%llu,%llu,%llu,%.2f,%.0f,%.3f\n",
              level.c_str(),
              static_cast<unsigned long long>(episodes),
              static_cast<unsigned long long>(solved),
              static_cast<unsigned long long>(advices),
              elapsed.count(),
              static_cast<double>(episodes) / elapsed.count(),
              1e6 * in_expert.count() / static_cast<double>(advices));
  std::fflush(stdout);
}

}  // namespace

int main(int argc, char** argv) {
  const double seconds = argc > 1 ? std::atof(argv[1]) : 1.0;
  std::vector<std::string> levels(argv + (argc > 2 ? 2 : argc), argv + argc);
  if (levels.empty()) {
    levels = {
        "babyai/GoToLocal", "babyai/PutNextLocal", "babyai/UnlockLocalDist", "babyai/MixedTrain"};
  }
  std::puts("name,level,episodes,solved,advices,seconds,demonstrations_per_s,us_per_advice");
  for (const std::string& level : levels) Measure(level, seconds);
}
