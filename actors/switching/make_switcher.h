#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "core/switcher.h"

namespace londi::actors {

struct SwitcherOptions {
  std::string kind = "mlp";  // One of SwitcherKinds().
  double rate = 0.1;         // random: activations per decision, 0..1.
  double threshold = 0.5;    // entropy: nats, >= 0.
  void Validate() const;     // Throws core::ConfigError naming the kinds there are.
};

// "mlp" (learned), "always", "never", "random", "entropy".
std::vector<std::string> SwitcherKinds();

// `seed`: of a random one's choices. Throws core::ConfigError as Validate does.
std::unique_ptr<core::Switcher> MakeSwitcher(const SwitcherOptions& options, std::uint64_t seed);

}  // namespace londi::actors
