#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>

#include "core/ids.h"

namespace londi::inference {

// XXH64 of `bytes`: fast, the same on every machine; tells contents apart, does not resist forgery.
// Source: the xxHash specification, "XXH64 algorithm".
std::uint64_t ContentHash(std::span<const std::byte> bytes, std::uint64_t seed = 0);

// Hash of the contents of a model folder: config.json, tokenizer.json and every *.safetensors, in
// order of their names. Throws core::ModelError when a file cannot be read.
core::ModelHash HashModelFolder(const std::filesystem::path& folder);

}  // namespace londi::inference
