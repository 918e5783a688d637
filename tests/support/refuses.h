#pragma once

#include <functional>

#include "core/error.h"

namespace londi::testing {

// Whether Options, with their defaults and then `change`, are a core::ConfigError.
template <class Options>
bool Refuses(const std::function<void(Options&)>& change) {
  Options options;
  change(options);
  try {
    options.Validate();
  } catch (const core::ConfigError&) {
    return true;
  }
  return false;
}

}  // namespace londi::testing
