#include "actors/envs/make_environment.h"

#include <algorithm>
#include <numeric>

#include "actors/envs/babyai/babyai_environment.h"
#include "actors/envs/babyai/levels.h"
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

std::unique_ptr<babyai::BabyAiEnvironment> MakeBabyAi(std::string_view level,
                                                      const EnvironmentOptions& options) {
  auto chooser =
      babyai::FindLevel(level, {.kind = options.kind, .num_distractors = options.num_distractors});
  if (!chooser) return nullptr;
  return std::make_unique<babyai::BabyAiEnvironment>(
      *std::move(chooser), babyai::BabyAiOptions{.view_size = options.view_size});
}

constexpr std::string_view kBabyAiPrefix = "babyai/";

// The family table: one line for each kind of environment.
std::unique_ptr<babyai::BabyAiEnvironment> FindBabyAi(std::string_view id,
                                                      const EnvironmentOptions& options) {
  if (!id.starts_with(kBabyAiPrefix)) return nullptr;
  return MakeBabyAi(id.substr(kBabyAiPrefix.size()), options);
}

}  // namespace

std::vector<std::string> EnvironmentNames() {
  std::vector<std::string> names;
  for (const std::string& level : babyai::LevelNames()) {
    names.push_back(std::string(kBabyAiPrefix) + level);
  }
  return names;
}

std::unique_ptr<core::Environment> MakeEnvironment(std::string_view id,
                                                   const EnvironmentOptions& options) {
  if (auto environment = FindBabyAi(id, options)) return environment;
  ThrowUnknown(id);
}

}  // namespace londi::actors
