#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "core/switcher.h"
#include "core/switcher_network.h"
#include "core/weights.h"

namespace londi::testing {

struct SwitcherShape {
  int num_features = 4;
  int width = 8;
  int layers = 2;
};

// A snapshot of the network of core/switcher_network.h whose parameters are `draw()`, one by one.
inline std::shared_ptr<core::WeightsSnapshot> MakeSwitcherWeights(
    const SwitcherShape& shape, const std::function<float()>& draw, std::int64_t version = 1) {
  auto weights = std::make_shared<core::WeightsSnapshot>();
  weights->version = core::WeightsVersion(version);
  weights->architecture = std::string(core::switcher_network::kArchitecture);
  const auto add = [&](const std::string& name, std::vector<std::int64_t> extents) {
    std::int64_t size = 1;
    for (const std::int64_t extent : extents) size *= extent;
    std::vector<float> values;
    for (std::int64_t i = 0; i < size; ++i) values.push_back(draw());
    weights->arrays.push_back({name, std::move(extents), std::move(values)});
  };
  std::int64_t in = shape.num_features + core::kNumContextInputs;
  for (int i = 0; i < shape.layers; ++i) {
    const std::string layer = "trunk." + std::to_string(i);
    add(layer + ".weight", {shape.width, in});
    add(layer + ".bias", {shape.width});
    add(layer + ".norm.weight", {shape.width});
    add(layer + ".norm.bias", {shape.width});
    in = shape.width;
  }
  for (const char* head : {"return.value", "return.advantage", "calls.value", "calls.advantage"}) {
    add(head + std::string(".weight"), {1, in});
    add(head + std::string(".bias"), {1});
  }
  return weights;
}

inline std::shared_ptr<core::WeightsSnapshot> MakeRandomSwitcherWeights(const SwitcherShape& shape,
                                                                        std::uint64_t seed,
                                                                        std::int64_t version = 1) {
  std::mt19937_64 random(seed);
  std::normal_distribution<float> normal(0, 0.5f);
  return MakeSwitcherWeights(
      shape, [&] { return normal(random); }, version);
}

inline core::NamedArray& FindArray(core::WeightsSnapshot& weights, const std::string& name) {
  return const_cast<core::NamedArray&>(weights.Find(name));
}

}  // namespace londi::testing
