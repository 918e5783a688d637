#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "tests/support/counting_world.h"

namespace londi::testing {

// The seeds that episodes were begun with, in that order. Thread-safe.
class SeedRecord {
 public:
  void Add(std::uint64_t seed) {
    const std::lock_guard lock(mutex_);
    seeds_.push_back(seed);
  }
  std::vector<std::uint64_t> seeds() const {
    const std::lock_guard lock(mutex_);
    return seeds_;
  }

 private:
  mutable std::mutex mutex_;
  std::vector<std::uint64_t> seeds_;  // Guarded by mutex_.
};

// The counting world, which remembers in `record` what it was reset to. Cannot be copied.
class RecordingEnvironment final : public core::Environment {
 public:
  explicit RecordingEnvironment(SeedRecord& record) : record_(record) {}

  core::Observation Reset(std::uint64_t seed) override {
    record_.Add(seed);
    return world_.Reset(seed);
  }
  core::StepResult Step(std::string_view action) override { return world_.Step(action); }
  std::vector<std::string> AdmissibleActions() const override { return world_.AdmissibleActions(); }
  int MaxSteps() const override { return world_.MaxSteps(); }
  std::string Kind() const override { return world_.Kind(); }
  std::unique_ptr<core::Environment> Clone() const override { return nullptr; }

 private:
  SeedRecord& record_;
  CountingEnvironment world_;
};

}  // namespace londi::testing
