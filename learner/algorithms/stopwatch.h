#pragma once

#include <chrono>

namespace londi::learner {

class Stopwatch {
 public:
  // Milliseconds since the construction or the last call.
  double Lap() {
    const auto now = std::chrono::steady_clock::now();
    const std::chrono::duration<double, std::milli> passed = now - last_;
    last_ = now;
    return passed.count();
  }

 private:
  std::chrono::steady_clock::time_point last_ = std::chrono::steady_clock::now();
};

}  // namespace londi::learner
