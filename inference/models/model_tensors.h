#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "inference/models/safetensors.h"

namespace londi::inference {

// All arrays of a model folder: model.safetensors, or the shards that
// model.safetensors.index.json names.
class ModelTensors {
 public:
  // Throws core::ModelError.
  explicit ModelTensors(const std::filesystem::path& folder);

  // Throws core::ModelError naming the array and the folder when it is missing or has another
  // shape.
  const StoredTensor& Find(const std::string& name, const std::vector<std::int64_t>& shape) const;
  bool Has(const std::string& name) const { return by_name_.contains(name); }
  std::vector<std::string> Names() const;

 private:
  std::filesystem::path folder_;
  std::vector<std::unique_ptr<SafetensorsFile>> files_;
  std::map<std::string, const StoredTensor*> by_name_;
};

}  // namespace londi::inference
