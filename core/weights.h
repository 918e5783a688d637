#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/ids.h"

namespace londi::core {

// One named fp32 array, row-major.
struct NamedArray {
  std::string name;
  std::vector<std::int64_t> shape;
  std::vector<float> values;
};

// The Switcher's parameters as broadcast by the learner. Immutable once built: shared as
// shared_ptr<const WeightsSnapshot>.
struct WeightsSnapshot {
  WeightsVersion version;
  std::string architecture;  // Which network reads the arrays, e.g. "disagreement_mlp"
                             // (core/switcher_network.h).
  std::vector<NamedArray> arrays;

  // Throws core::ProtocolError naming the array that is missing.
  const NamedArray& Find(const std::string& name) const;
};

}  // namespace londi::core
