#include "actors/switching/swift_sage_switcher.h"

#include "actors/switcher_features.h"

namespace londi::actors {

core::SwitchChoice SwiftSageSwitcher::Choose(const core::SwitcherInput& input) {
  const auto count = [&](Scalar scalar) { return GetScalar(input.features, scalar) / kCountUnit; };
  const bool stuck = count(Scalar::kNoProgress) >= kPatience;
  const bool repeats = count(Scalar::kTriedBefore) >= kFailures;
  const bool called_twice =
      ActivatedBefore(input.features, 1) && ActivatedBefore(input.features, 2);
  return {.activate = (stuck || repeats) && !called_twice};
}

}  // namespace londi::actors
