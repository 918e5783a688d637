#pragma once

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "core/switcher.h"
#include "core/switcher_network.h"
#include "core/weights.h"

namespace londi::testing {

// The network of core/switcher_network.h as its table reads, without a thought about speed.
class SwitcherReference {
 public:
  explicit SwitcherReference(const core::WeightsSnapshot& weights) : weights_(weights) {}

  struct Output {
    double return_value, return_advantage, calls_value, calls_advantage;
    double return_shadow, calls_shadow;  // What of the advantages is the budget's rest.
    double Return(int g) const { return return_value + (g - 0.5) * return_advantage; }
    double Calls(int g) const { return calls_value + (g - 0.5) * calls_advantage; }
    double Advantage(double cost) const {
      const double shadow = return_shadow - cost * calls_shadow;
      return return_advantage - cost * calls_advantage - std::max(shadow, 0.0);
    }
  };

  Output Evaluate(const std::vector<float>& features,
                  float cost,
                  int remaining,
                  int steps_left) const {
    return Evaluate(std::vector<std::vector<float>>{features}, cost, remaining, steps_left);
  }

  // `rows`: the features of the episode so far, the current ones last.
  Output Evaluate(const std::vector<std::vector<float>>& rows,
                  float cost,
                  int remaining,
                  int steps_left) const {
    std::vector<float> context(core::kNumContextInputs);
    core::EncodeContext(cost, remaining, steps_left, context);
    std::vector<double> inputs(rows.back().begin(), rows.back().end());
    const std::vector<double> memory = Remember(rows);
    inputs.insert(inputs.end(), memory.begin(), memory.end());
    const std::vector<double> features = inputs;
    inputs.insert(inputs.end(), context.begin(), context.end());
    double d = 1;
    if (Has("disagreement.logit.weight")) {
      const std::vector<double> seen = Climb("disagreement", features);
      d = 1 / (1 + std::exp(-Linear("disagreement.logit", seen)[0]));
      inputs.push_back(d);
      inputs.push_back(std::log(d + core::switcher_network::kLogFloor) / 4);
    }
    const std::vector<double> hidden = Climb("trunk", inputs);
    const auto head = [&](const std::string& name) { return Linear(name, hidden)[0]; };
    const bool limited = remaining >= 0 && remaining < steps_left;
    const auto gain = [&](const std::string& critic) { return d * head(critic + ".gain"); };
    const auto shadow = [&](const std::string& critic) {
      return limited ? (1 - d) * head(critic + ".shadow") : 0;
    };
    return {head("return.value"),
            gain("return") + shadow("return"),
            head("calls.value"),
            gain("calls") + shadow("calls") + 1,
            shadow("return"),
            shadow("calls")};
  }

 private:
  bool Has(const std::string& name) const {
    return std::any_of(weights_.arrays.begin(), weights_.arrays.end(), [&](const auto& a) {
      return a.name == name;
    });
  }

  std::vector<double> Remember(const std::vector<std::vector<float>>& rows) const {
    if (!Has("memory.window")) return {};
    const int window = static_cast<int>(weights_.Find("memory.window").values[0]);
    const int step = static_cast<int>(rows.size()) - 1;
    std::vector<double> memory(weights_.Find("memory.state.bias").values.size() / 3);
    const std::size_t width = memory.size();
    const auto sigmoid = [](double logit) { return 1 / (1 + std::exp(-logit)); };
    for (int i = core::switcher_network::MemoryStart(step, window); i <= step; ++i) {
      const std::vector<float>& row = rows[static_cast<std::size_t>(i)];
      const std::vector<double> x = Linear("memory.input", {row.begin(), row.end()});
      const std::vector<double> h = Linear("memory.state", memory);
      for (std::size_t u = 0; u < width; ++u) {
        const double reset = sigmoid(x[u] + h[u]);
        const double keep = sigmoid(x[width + u] + h[width + u]);
        const double candidate = std::tanh(x[2 * width + u] + reset * h[2 * width + u]);
        memory[u] = (1 - keep) * candidate + keep * memory[u];
      }
    }
    return memory;
  }

  std::vector<double> Climb(const std::string& tower, std::vector<double> hidden) const {
    for (int i = 0; Has(tower + "." + std::to_string(i) + ".weight"); ++i) {
      const std::string layer = tower + "." + std::to_string(i);
      hidden = Linear(layer, hidden);
      Normalize(layer, hidden);
      for (double& value : hidden) value = std::max(value, 0.0);
    }
    return hidden;
  }

  std::vector<double> Linear(const std::string& name, const std::vector<double>& in) const {
    const auto& weight = weights_.Find(name + ".weight").values;
    const auto& bias = weights_.Find(name + ".bias").values;
    std::vector<double> out(bias.begin(), bias.end());
    for (std::size_t o = 0; o < out.size(); ++o) {
      for (std::size_t i = 0; i < in.size(); ++i) out[o] += weight[o * in.size() + i] * in[i];
    }
    return out;
  }

  void Normalize(const std::string& layer, std::vector<double>& values) const {
    const auto& scale = weights_.Find(layer + ".norm.weight").values;
    const auto& shift = weights_.Find(layer + ".norm.bias").values;
    double mean = 0, variance = 0;
    for (double value : values) mean += value / static_cast<double>(values.size());
    for (double value : values)
      variance += (value - mean) * (value - mean) / static_cast<double>(values.size());
    const double inverse = 1 / std::sqrt(variance + core::switcher_network::kLayerNormEpsilon);
    for (std::size_t i = 0; i < values.size(); ++i)
      values[i] = (values[i] - mean) * inverse * scale[i] + shift[i];
  }

  const core::WeightsSnapshot& weights_;
};

}  // namespace londi::testing
