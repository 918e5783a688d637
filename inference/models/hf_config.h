#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "inference/models/model_spec.h"

namespace londi::inference {

// Reads DIR/config.json as written by transformers 4 or 5 (rope_theta and rope_scaling, or
// rope_parameters). Throws core::ModelError when the file is missing or damaged, when a key asks
// for maths we do not have (biases, another activation, quantization ...), or when a key is
// unknown: it might change the maths.
ModelSpec ReadHfConfig(const std::filesystem::path& folder);

// The same for the text of a config.json; `source` names it in errors.
ModelSpec ParseHfConfig(std::string_view json, const std::string& source);

// A config.json that ReadHfConfig and transformers (4.45 and later) read as `spec`, fp32.
std::string ToHfConfig(const ModelSpec& spec);

}  // namespace londi::inference
