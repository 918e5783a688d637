// The tests of exact problems (tests/e2e/learner) in their long form: many trainings that differ in
// nothing but their seed. A row for each, then one for each problem.
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "tests/bench/support/figures.h"
#include "tests/support/exact_problems.h"

namespace {

using namespace londi;

struct Problem {
  const char* name;
  testing::ExactVerdict (*learn)(std::uint64_t seed);
  double aim = 0.02;  // Of the largest error.
};
constexpr Problem kProblems[] = {
    {"critical-chain", testing::LearnCriticalChain},
    {"critical-chain-by-retrace", testing::LearnCriticalChainByRetrace},
    {"heterogeneous-chain", testing::LearnHeterogeneousChain},
    {"two-keys", testing::LearnTwoKeys},
    {"decoy", testing::LearnDecoy},
    {"assignment", testing::LearnAssignment, 0.01},
    {"proposal-gate", testing::LearnProposalGate},
    {"memory", testing::LearnMemory},
};

void Measure(const Problem& problem, int num_seeds) {
  std::vector<double> errors, seconds;
  int all_optimal = 0;
  for (int seed = 1; seed <= num_seeds; ++seed) {
    const double before = bench::CpuSeconds();
    const testing::ExactVerdict verdict = problem.learn(static_cast<std::uint64_t>(seed));
    seconds.push_back(bench::CpuSeconds() - before);
    errors.push_back(verdict.largest_error);
    all_optimal += verdict.wrong.empty();
    std::printf("%s,%d,%d,%zu,%.4f,%.0f\n",
                problem.name,
                seed,
                verdict.choices,
                verdict.wrong.size(),
                errors.back(),
                seconds.back());
    for (const std::string& wrong : verdict.wrong) std::printf("# %s\n", wrong.c_str());
    std::fflush(stdout);
  }
  std::printf(
      "# %s: all optimal %d of %d; largest error %.3f, %.3f, %.3f (least, median, most), "
      "within %.2f %ld; CPU s %.0f to %.0f\n",
      problem.name,
      all_optimal,
      num_seeds,
      std::ranges::min(errors),
      bench::Median(errors),
      std::ranges::max(errors),
      problem.aim,
      static_cast<long>(std::ranges::count_if(errors, [&](double e) { return e <= problem.aim; })),
      std::ranges::min(seconds),
      std::ranges::max(seconds));
  std::fflush(stdout);
}

}  // namespace

int main(int argc, char** argv) {
  const int num_seeds = argc > 1 ? std::atoi(argv[1]) : 10;
  const std::vector<std::string> names(argv + std::min(argc, 2), argv + argc);
  const auto is_known = [](const std::string& name) {
    return std::ranges::any_of(kProblems, [&](const Problem& p) { return p.name == name; });
  };
  if (num_seeds < 1 || !std::ranges::all_of(names, is_known)) {
    std::fprintf(stderr, "bench_exact_problems [SEEDS [PROBLEM...]]; problems:");
    for (const Problem& problem : kProblems) std::fprintf(stderr, " %s", problem.name);
    std::fprintf(stderr, "\n");
    return 2;
  }
  std::printf("problem,seed,choices,not as the optimum,largest error of a value,cpu s\n");
  for (const Problem& problem : kProblems) {
    if (names.empty() || std::ranges::count(names, problem.name) > 0) Measure(problem, num_seeds);
  }
}
