#pragma once

#include <string>
#include <vector>

#include "core/weights.h"

namespace londi::learner {

// fp32 arrays as the bytes of a safetensors file (any tool that reads safetensors can look into a
// checkpoint).
std::string EncodeArrays(const std::vector<core::NamedArray>& arrays);

// Throws core::ModelError when the bytes are no safetensors file of fp32 arrays.
std::vector<core::NamedArray> DecodeArrays(const std::string& bytes);

}  // namespace londi::learner
