#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>

#include "inference/lm_scorer.h"

namespace londi::inference {

struct LmOptions {
  std::string device = "auto";        // auto, cpu, cuda, cuda:<index>
  std::string device_key = "device";  // What a person calls it, for errors.
  std::int64_t kv_cache_mib = 512;    // Keys and values of sessions, >= 0.
  void Validate() const;              // Throws core::ConfigError.
};

// Loads a Hugging Face folder: config.json (its model_type chooses the family), tokenizer.json,
// *.safetensors. Throws core::ModelError, core::ConfigError, core::UnavailableError.
std::unique_ptr<LmScorer> LoadLm(const std::filesystem::path& folder,
                                 const LmOptions& options = {});

}  // namespace londi::inference
