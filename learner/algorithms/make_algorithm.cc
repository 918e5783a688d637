#include "learner/algorithms/make_algorithm.h"

#include "core/error.h"

namespace londi::learner {
namespace {

using Factory = std::unique_ptr<Algorithm> (*)(const AlgorithmOptions&,
                                               int,
                                               const std::string&,
                                               std::uint64_t);

struct Entry {
  const char* name;
  bool on_policy;
  Factory make;
};

// Every algorithm there is; a new one is a file beside this one and a line here.
constexpr Entry kAlgorithms[] = {
    {"dqn",
     /*on_policy=*/false,
     [](const AlgorithmOptions& options,
        int num_features,
        const std::string& device,
        std::uint64_t seed) { return MakeDqn(options.dqn, num_features, device, seed); }},
    {"sac",
     /*on_policy=*/false,
     [](const AlgorithmOptions& options,
        int num_features,
        const std::string& device,
        std::uint64_t seed) { return MakeSac(options.sac, num_features, device, seed); }},
    {"ppo",
     /*on_policy=*/true,
     [](const AlgorithmOptions& options,
        int num_features,
        const std::string& device,
        std::uint64_t seed) { return MakePpo(options.ppo, num_features, device, seed); }},
};

const Entry& Find(const std::string& name) {
  std::string known;
  for (const Entry& entry : kAlgorithms) {
    if (name == entry.name) return entry;
    known += (known.empty() ? "" : ", ") + std::string(entry.name);
  }
  throw core::ConfigError({.what = "learner.algorithm is '" + name + "'",
                           .why = "there is no such algorithm",
                           .fix = "use one of: " + known});
}

}  // namespace

int AlgorithmOptions::memory_window() const {
  return name == "dqn" && dqn.memory.width > 0 ? dqn.memory.window : 0;
}

void AlgorithmOptions::Validate() const {
  Find(name);
  if (name != "dqn" && dqn.memory.width > 0) {
    throw core::ConfigError(
        {.what = "learner.dqn.memory.width is " + std::to_string(dqn.memory.width) +
                 " although learner.algorithm is " + name,
         .why = "only the network of dqn has a memory",
         .fix = "set learner.dqn.memory.width to 0, or learner.algorithm to dqn"});
  }
  dqn.Validate();
  sac.Validate();
  ppo.Validate();
}

std::vector<std::string> AlgorithmNames() {
  std::vector<std::string> names;
  for (const Entry& entry : kAlgorithms) names.emplace_back(entry.name);
  return names;
}

bool IsOnPolicy(const std::string& name) { return Find(name).on_policy; }

std::unique_ptr<Algorithm> MakeAlgorithm(const AlgorithmOptions& options,
                                         int num_features,
                                         const std::string& device,
                                         std::uint64_t seed) {
  return Find(options.name).make(options, num_features, device, seed);
}

}  // namespace londi::learner
