#pragma once

#include <filesystem>
#include <memory>

#include "inference/load_lm.h"
#include "inference/scoring_model.h"

namespace londi::inference {

// The model of a Hugging Face folder, by its config.json's model_type. Throws core::ModelError
// listing the families there are.
std::unique_ptr<ScoringModel> MakeScoringModel(const std::filesystem::path& folder,
                                               const LmOptions& options);

}  // namespace londi::inference
