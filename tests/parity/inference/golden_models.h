#pragma once

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace londi::testing {

// The tiny random folders that generate.py wrote with transformers.
inline std::vector<std::string> GoldenModels() {
  return {"mha_untied", "gqa_tied", "llama3_rope", "linear_rope"};
}

inline std::filesystem::path GoldenModel(const std::string& name) {
  return std::filesystem::path(LONDI_GOLDEN) / "inference" / "models" / name;
}

inline nlohmann::json ReadJson(const std::filesystem::path& path) {
  std::ifstream file(path);
  return nlohmann::json::parse(file);
}

}  // namespace londi::testing
