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
  int disagreement_width = 4;  // 0 = none
  bool plans = false;          // Their margin is 0.
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
  const auto add_linear = [&](const std::string& name, std::int64_t out, std::int64_t in) {
    add(name + ".weight", {out, in});
    add(name + ".bias", {out});
  };
  const auto add_tower = [&](const std::string& name, int layers, int width, std::int64_t in) {
    for (int i = 0; i < layers; ++i) {
      const std::string layer = name + "." + std::to_string(i);
      add_linear(layer, width, in);
      add(layer + ".norm.weight", {width});
      add(layer + ".norm.bias", {width});
      in = width;
    }
  };
  const bool has_disagreement = shape.disagreement_width > 0;
  add_tower("trunk",
            shape.layers,
            shape.width,
            shape.num_features + core::kNumContextInputs +
                (has_disagreement ? core::switcher_network::kNumDisagreementInputs : 0));
  for (const char* head : {"return.value",
                           "return.gain",
                           "return.shadow",
                           "calls.value",
                           "calls.gain",
                           "calls.shadow"})
    add_linear(head, 1, shape.width);
  if (shape.plans) {
    add_linear("plans.return", core::switcher_network::kNumPlans, shape.width);
    add_linear("plans.calls", core::switcher_network::kNumPlans, shape.width);
    weights->arrays.push_back({"plans.margin", {1}, {0.0f}});
  }
  if (has_disagreement) {
    add_tower("disagreement", 2, shape.disagreement_width, shape.num_features);
    add_linear("disagreement.logit", 1, shape.disagreement_width);
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
