#include "inference/models/model_tensors.h"

#include <fstream>
#include <nlohmann/json.hpp>
#include <set>

#include "core/error.h"

namespace londi::inference {
namespace {

constexpr const char* kSingleFile = "model.safetensors";
constexpr const char* kIndexFile = "model.safetensors.index.json";

[[noreturn]] void FailIndex(const std::filesystem::path& path, const std::string& why) {
  throw core::ModelError({.what = path.string() + " cannot be used",
                          .why = why,
                          .fix = "obtain the model's folder again: the file is damaged"});
}

// The files that an index names, each once.
std::set<std::string> ReadIndex(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  const auto index = nlohmann::json::parse(file, nullptr, /*allow_exceptions=*/false);
  if (!index.is_object() || !index.contains("weight_map") || !index["weight_map"].is_object()) {
    FailIndex(path, "it has no weight_map");
  }
  std::set<std::string> names;
  for (const auto& [tensor, name] : index["weight_map"].items()) {
    if (!name.is_string()) FailIndex(path, "'" + tensor + "' is in no file");
    const std::filesystem::path shard = name.get<std::string>();
    if (shard.empty() || shard != shard.filename() || shard == "..") {
      FailIndex(path, "'" + shard.string() + "' is outside of the folder");
    }
    names.insert(shard.string());
  }
  return names;
}

std::set<std::string> FindFiles(const std::filesystem::path& folder) {
  if (std::filesystem::exists(folder / kSingleFile)) return {kSingleFile};
  if (std::filesystem::exists(folder / kIndexFile)) return ReadIndex(folder / kIndexFile);
  throw core::ModelError(
      {.what = "no weights in " + folder.string(),
       .why = std::string("there is neither ") + kSingleFile + " nor " + kIndexFile,
       .fix = "obtain the model's folder again; other formats (*.bin) are never read, because they "
              "can execute code"});
}

std::string ShapeText(const std::vector<std::int64_t>& shape) {
  std::string text = "[";
  for (std::size_t i = 0; i < shape.size(); ++i) {
    text += (i == 0 ? "" : ", ") + std::to_string(shape[i]);
  }
  return text + "]";
}

}  // namespace

ModelTensors::ModelTensors(const std::filesystem::path& folder) : folder_(folder) {
  for (const std::string& name : FindFiles(folder)) {
    files_.push_back(std::make_unique<SafetensorsFile>(folder / name));
    for (const auto& [tensor, stored] : files_.back()->tensors()) {
      if (!by_name_.emplace(tensor, &stored).second) {
        FailIndex(folder / name, "'" + tensor + "' is in another file, too");
      }
    }
  }
}

const StoredTensor& ModelTensors::Find(const std::string& name,
                                       const std::vector<std::int64_t>& shape) const {
  const auto found = by_name_.find(name);
  if (found == by_name_.end()) {
    throw core::ModelError({.what = "'" + name + "' is missing in " + folder_.string(),
                            .why = "the architecture of config.json needs it",
                            .fix = "obtain the model's folder again: config.json and weights do "
                                   "not belong together, or a file is missing"});
  }
  if (found->second->shape != shape) {
    throw core::ModelError({.what = "'" + name + "' in " + folder_.string() + " has shape " +
                                    ShapeText(found->second->shape),
                            .why = "config.json says " + ShapeText(shape),
                            .fix = "config.json and weights do not belong together: obtain the "
                                   "model's folder again"});
  }
  return *found->second;
}

std::vector<std::string> ModelTensors::Names() const {
  std::vector<std::string> names;
  for (const auto& [name, tensor] : by_name_) names.push_back(name);
  return names;
}

}  // namespace londi::inference
