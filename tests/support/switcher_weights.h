#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "core/policy_network.h"
#include "core/switcher.h"
#include "core/switcher_network.h"
#include "core/weights.h"

namespace londi::testing {

struct SwitcherShape {
  int num_features = 4;
  int width = 8;
  int layers = 2;
  int disagreement_width = 4;  // 0 = none
  int memory_width = 0;        // 0 = none
  int memory_window = 4;
};

// Adds arrays whose values are `draw()`, one by one.
class ArrayMaker {
 public:
  ArrayMaker(core::WeightsSnapshot& weights, const std::function<float()>& draw)
      : weights_(weights), draw_(draw) {}

  void Add(const std::string& name, std::vector<std::int64_t> extents) {
    std::int64_t size = 1;
    for (const std::int64_t extent : extents) size *= extent;
    std::vector<float> values;
    for (std::int64_t i = 0; i < size; ++i) values.push_back(draw_());
    weights_.arrays.push_back({name, std::move(extents), std::move(values)});
  }
  void AddLinear(const std::string& name, std::int64_t out, std::int64_t in) {
    Add(name + ".weight", {out, in});
    Add(name + ".bias", {out});
  }
  void AddTower(const std::string& name, int layers, int width, std::int64_t in) {
    for (int i = 0; i < layers; ++i) {
      const std::string layer = name + "." + std::to_string(i);
      AddLinear(layer, width, in);
      Add(layer + ".norm.weight", {width});
      Add(layer + ".norm.bias", {width});
      in = width;
    }
  }

 private:
  core::WeightsSnapshot& weights_;
  const std::function<float()>& draw_;
};

// A snapshot of the network of core/switcher_network.h whose parameters are `draw()`, one by one.
inline std::shared_ptr<core::WeightsSnapshot> MakeSwitcherWeights(
    const SwitcherShape& shape, const std::function<float()>& draw, std::int64_t version = 1) {
  auto weights = std::make_shared<core::WeightsSnapshot>();
  weights->version = core::WeightsVersion(version);
  weights->architecture = std::string(core::switcher_network::kArchitecture);
  ArrayMaker make(*weights, draw);
  const bool has_disagreement = shape.disagreement_width > 0;
  const int num_read = shape.num_features + shape.memory_width;
  make.AddTower("trunk",
                shape.layers,
                shape.width,
                num_read + core::kNumContextInputs +
                    (has_disagreement ? core::switcher_network::kNumDisagreementInputs : 0));
  for (const char* head : {"return.value",
                           "return.gain",
                           "return.shadow",
                           "calls.value",
                           "calls.gain",
                           "calls.shadow"})
    make.AddLinear(head, 1, shape.width);
  if (has_disagreement) {
    make.AddTower("disagreement", 2, shape.disagreement_width, num_read);
    make.AddLinear("disagreement.logit", 1, shape.disagreement_width);
  }
  if (shape.memory_width > 0) {
    make.AddLinear("memory.input", 3 * shape.memory_width, shape.num_features);
    make.AddLinear("memory.state", 3 * shape.memory_width, shape.memory_width);
    weights->arrays.push_back({"memory.window", {1}, {static_cast<float>(shape.memory_window)}});
  }
  return weights;
}

// The same of the network of core/policy_network.h; of the shape its trunk matters.
inline std::shared_ptr<core::WeightsSnapshot> MakePolicyWeights(const SwitcherShape& shape,
                                                                const std::function<float()>& draw,
                                                                std::int64_t version = 1) {
  auto weights = std::make_shared<core::WeightsSnapshot>();
  weights->version = core::WeightsVersion(version);
  weights->architecture = std::string(core::policy_network::kArchitecture);
  ArrayMaker make(*weights, draw);
  make.AddTower("trunk", shape.layers, shape.width, shape.num_features + core::kNumContextInputs);
  make.AddLinear("logit", 1, shape.width);
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
