#pragma once

#include "core/clock.h"

namespace londi::testing {

// A clock that moves only when told.
class FakeClock final : public core::Clock {
 public:
  core::TimePoint Now() const override { return now_; }
  void Advance(core::Duration step) { now_ += step; }

 private:
  core::TimePoint now_{std::chrono::seconds(1000)};
};

}  // namespace londi::testing
