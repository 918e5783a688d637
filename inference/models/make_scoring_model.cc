#include "inference/models/make_scoring_model.h"

#include <c10/core/Device.h>

#include <cstddef>

#include "core/error.h"
#include "inference/device.h"
#include "inference/models/hf_config.h"
#include "inference/models/llama_scoring.h"

namespace londi::inference {
namespace {

struct Family {
  const char* model_type;
  std::unique_ptr<ScoringModel> (*load)(const std::filesystem::path& folder,
                                        c10::Device device,
                                        std::size_t kv_cache_bytes);
};

// Here a new family is added: its file's loader, and its keys in hf_config.cc.
constexpr Family kFamilies[] = {
    {"llama",
     [](const std::filesystem::path& folder, c10::Device device, std::size_t kv_cache_bytes) {
       return MakeLlamaScoring(LoadLlama(folder, device), kv_cache_bytes);
     }},
};

}  // namespace

std::unique_ptr<ScoringModel> MakeScoringModel(const std::filesystem::path& folder,
                                               const LmOptions& options) {
  const ModelSpec spec = ReadHfConfig(folder);
  const c10::Device device(ResolveDevice(options.device, options.device_key));
  for (const Family& family : kFamilies) {
    if (spec.family == family.model_type) {
      return family.load(folder, device, static_cast<std::size_t>(options.kv_cache_mib) << 20);
    }
  }
  throw core::ModelError({.what = folder.string() + " holds a model of type '" + spec.family + "'",
                          .why = "this family cannot be served",
                          .fix = "use a model of type llama"});
}

}  // namespace londi::inference
