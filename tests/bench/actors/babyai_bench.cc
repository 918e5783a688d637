// Steps per second of BabyAI-Text on one core: random actions, text made at every step, resets
// included.
//
//   bench_babyai [seconds per level] [babyai/Level ...]
//
// One CSV row per level: name,level,steps,episodes,cpu_seconds,steps_per_s,us_per_step.
// babyai_minigrid.py beside this file measures the same with the Python package; compare figures of
// one sitting only.
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <string>
#include <vector>

#include "actors/envs/babyai/action.h"
#include "actors/envs/babyai/rng.h"
#include "actors/envs/make_environment.h"

namespace {

double CpuSeconds() { return static_cast<double>(std::clock()) / CLOCKS_PER_SEC; }

void Measure(const std::string& level, double seconds) {
  const auto environment = londi::actors::MakeEnvironment(level);
  londi::actors::babyai::NumpyRng rng(0);
  std::vector<std::string> actions;
  for (int k = 0; k < 4096; ++k) {
    actions.emplace_back(
        londi::actors::babyai::kActionTexts[static_cast<std::size_t>(rng.Integers(0, 6))]);
  }

  std::int64_t steps = 0;
  std::uint64_t episodes = 0;
  std::size_t text_bytes = 0;  // Reads what was made, as an agent would.
  const double start = CpuSeconds();
  double elapsed = 0;
  while (elapsed < seconds) {
    environment->Reset(episodes++);
    bool done = false;
    while (!done) {
      const auto result =
          environment->Step(actions[static_cast<std::size_t>(steps++) % actions.size()]);
      for (const std::string& sentence : result.observation.sentences)
        text_bytes += sentence.size();
      done = result.done();
    }
    elapsed = CpuSeconds() - start;
  }
  if (text_bytes == 0) std::abort();
  const double rate = static_cast<double>(steps) / elapsed;
  std::printf("babyai_text,%s,%lld,%llu,%.2f,%.0f,%.3f\n",
              level.c_str(),
              static_cast<long long>(steps),
              static_cast<unsigned long long>(episodes),
              elapsed,
              rate,
              1e6 / rate);
  std::fflush(stdout);
}

}  // namespace

int main(int argc, char** argv) {
  const double seconds = argc > 1 ? std::atof(argv[1]) : 2.0;
  std::vector<std::string> levels(argv + (argc > 2 ? 2 : argc), argv + argc);
  if (levels.empty()) {
    levels = {"babyai/GoToLocal", "babyai/PutNextLocal", "babyai/UnlockLocal", "babyai/MixedTrain"};
  }
  std::puts("name,level,steps,episodes,cpu_seconds,steps_per_s,us_per_step");
  for (const std::string& level : levels) Measure(level, seconds);
}
