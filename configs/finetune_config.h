#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "configs/run_config.h"
#include "configs/strict_yaml.h"
#include "learner/finetune/finetune.h"

namespace londi::configs {

// An LM to be made by `londi finetune`.
struct FinetuneConfig {
  std::filesystem::path output;         // Hugging Face folder, with the model card README.md.
  std::int32_t threads = 0;             // Of the matrix products; 0 = one per core.
  std::int32_t final_episodes = 2'000;  // Unseen episodes of the model card, 0 = no card.
  // Of LibTorch's fp32 matrix products in training: "highest", or "medium", which lets a CPU with
  // bf16 instructions round their inputs, and takes the faster of its two libraries.
  std::string matmul_precision = "highest";
  EnvironmentChoice environment;
  learner::FinetuneOptions finetune;

  void Validate() const;  // Throws core::ConfigError.
};

// Prints the options of `londi finetune`.
inline constexpr char kPrintFinetuneOptions[] = "londi config print --finetune";

// Binds every option. `config` must outlive the table.
void Bind(FinetuneConfig& config, OptionTable& table);

// Reads `file`, then the `--set` texts, and validates.
FinetuneConfig LoadFinetuneConfig(const std::filesystem::path& file,
                                  const std::vector<std::string>& sets);

}  // namespace londi::configs
