#include "actors/switching/make_switcher.h"

#include <algorithm>

#include "actors/switching/mlp_switcher.h"
#include "actors/switching/rules.h"
#include "core/error.h"

namespace londi::actors {
namespace {

// The visible table: a new Switcher is a new line here.
struct Kind {
  std::string_view name;
  std::unique_ptr<core::Switcher> (*make)(const SwitcherOptions& options, std::uint64_t seed);
};

constexpr Kind kKinds[] = {
    {"mlp",
     [](const SwitcherOptions&, std::uint64_t) -> std::unique_ptr<core::Switcher> {
       return std::make_unique<MlpSwitcher>();
     }},
    {"always",
     [](const SwitcherOptions&, std::uint64_t) -> std::unique_ptr<core::Switcher> {
       return std::make_unique<AlwaysSwitcher>();
     }},
    {"never",
     [](const SwitcherOptions&, std::uint64_t) -> std::unique_ptr<core::Switcher> {
       return std::make_unique<NeverSwitcher>();
     }},
    {"random",
     [](const SwitcherOptions& options, std::uint64_t seed) -> std::unique_ptr<core::Switcher> {
       return std::make_unique<RandomSwitcher>(options.rate, seed);
     }},
    {"entropy",
     [](const SwitcherOptions& options, std::uint64_t) -> std::unique_ptr<core::Switcher> {
       return std::make_unique<EntropySwitcher>(options.threshold);
     }},
};

const Kind& FindKind(const std::string& name) {
  const auto found = std::ranges::find(kKinds, name, &Kind::name);
  if (found != std::end(kKinds)) return *found;
  std::string known;
  for (const Kind& kind : kKinds) known += (known.empty() ? "" : ", ") + std::string(kind.name);
  throw core::ConfigError({.what = "unknown Switcher '" + name + "'",
                           .why = "known are: " + known + ".",
                           .fix = "use one of these; the learned one is 'mlp'."});
}

}  // namespace

void SwitcherOptions::Validate() const {
  FindKind(kind);
  if (!(rate >= 0 && rate <= 1)) {
    throw core::ConfigError({.what = "the Switcher's rate is " + std::to_string(rate),
                             .why = "it is a probability per decision.",
                             .fix = "set it to 0..1."});
  }
  if (!(threshold >= 0)) {
    throw core::ConfigError({.what = "the Switcher's threshold is " + std::to_string(threshold),
                             .why = "an entropy is never negative.",
                             .fix = "set it to 0 or more."});
  }
}

std::vector<std::string> SwitcherKinds() {
  std::vector<std::string> names;
  for (const Kind& kind : kKinds) names.emplace_back(kind.name);
  return names;
}

std::unique_ptr<core::Switcher> MakeSwitcher(const SwitcherOptions& options, std::uint64_t seed) {
  options.Validate();
  return FindKind(options.kind).make(options, seed);
}

}  // namespace londi::actors
