#include "transport/weights_slot.h"

#include <string>

#include "core/error.h"

namespace londi::transport {

void RequireNewerVersion(const core::WeightsSnapshot* current, const core::WeightsSnapshot& next) {
  if (current == nullptr || next.version > current->version) return;
  throw core::ProtocolError(
      {.what = "weights version " + std::to_string(next.version.value) + " published after " +
               std::to_string(current->version.value),
       .why = "subscribers keep the newest version, so it would never be used.",
       .fix = "publish with a higher version"});
}

}  // namespace londi::transport
