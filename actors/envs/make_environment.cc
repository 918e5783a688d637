#include "actors/envs/make_environment.h"

#include <algorithm>
#include <numeric>
#include <utility>

#include "actors/envs/babyai/babyai_environment.h"
#include "actors/envs/babyai/bot.h"
#include "actors/envs/babyai/levels.h"
#include "actors/envs/problems/make_problem.h"
#include "core/error.h"

namespace londi::actors {
namespace {

// Levenshtein's distance, for "did you mean".
std::size_t EditDistance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t replaced = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({replaced, row[j] + 1, row[j - 1] + 1});
    }
  }
  return row.back();
}

[[noreturn]] void ThrowUnknown(std::string_view id) {
  const std::vector<std::string> names = EnvironmentNames();
  const auto nearest = std::ranges::min_element(
      names, {}, [id](const std::string& name) { return EditDistance(id, name); });
  std::string known;
  for (const std::string& name : names) known += (known.empty() ? "" : ", ") + name;
  throw core::ConfigError({.what = "unknown environment '" + std::string(id) + "'",
                           .why = "known are: " + known + ".",
                           .fix = "did you mean '" + *nearest + "'?"});
}

// nullptr: there is no such level.
core::EnvironmentWithExpert MakeBabyAi(std::string_view level, const EnvironmentOptions& options) {
  auto chooser =
      babyai::FindLevel(level, {.kind = options.kind, .num_distractors = options.num_distractors});
  if (!chooser) return {};
  auto environment = std::make_unique<babyai::BabyAiEnvironment>(
      *std::move(chooser), babyai::BabyAiOptions{.view_size = options.view_size});
  auto bot = babyai::MakeBot(*environment);
  return {std::move(environment), std::move(bot)};
}

// Without an expert. nullptr: there is no such problem.
core::EnvironmentWithExpert MakeProblem(std::string_view name, const EnvironmentOptions& options) {
  if (!options.kind.empty() || options.num_distractors) {
    throw core::ConfigError({.what = "problems/" + std::string(name) +
                                     " was asked for a kind or a number of distractors",
                             .why = "the exact problems have no such choices.",
                             .fix = "leave environment.kind and environment.num_distractors out."});
  }
  return {.environment = problems::MakeProblemEnvironment(name), .expert = nullptr};
}

// The visible table: a new environment is a new line here.
struct Family {
  std::string_view prefix;
  std::vector<std::string> (*names)();  // Without the prefix.
  core::EnvironmentWithExpert (*make)(std::string_view name, const EnvironmentOptions& options);
};

constexpr Family kFamilies[] = {
    {"babyai/", babyai::LevelNames, MakeBabyAi},
    {"problems/", problems::ProblemNames, MakeProblem},
};

}  // namespace

std::vector<std::string> EnvironmentNames() {
  std::vector<std::string> names;
  for (const Family& family : kFamilies) {
    for (const std::string& name : family.names())
      names.push_back(std::string(family.prefix) + name);
  }
  return names;
}

core::EnvironmentWithExpert MakeEnvironmentWithExpert(std::string_view id,
                                                      const EnvironmentOptions& options) {
  for (const Family& family : kFamilies) {
    if (!id.starts_with(family.prefix)) continue;
    auto made = family.make(id.substr(family.prefix.size()), options);
    if (made.environment != nullptr) return made;
  }
  ThrowUnknown(id);
}

std::unique_ptr<core::Environment> MakeEnvironment(std::string_view id,
                                                   const EnvironmentOptions& options) {
  return std::move(MakeEnvironmentWithExpert(id, options).environment);
}

}  // namespace londi::actors
