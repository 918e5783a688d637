#include "inference/load_lm.h"

#include "core/error.h"
#include "inference/content_hash.h"
#include "inference/models/make_scoring_model.h"
#include "inference/tokenizers/tokenizer_json.h"

namespace londi::inference {

void LmOptions::Validate() const {
  if (kv_cache_mib >= 0) return;
  throw core::ConfigError({.what = "kv_cache_mib is " + std::to_string(kv_cache_mib),
                           .why = "memory is not negative",
                           .fix = "set it to 0 (no prompt is kept) or more"});
}

std::unique_ptr<LmScorer> LoadLm(const std::filesystem::path& folder, const LmOptions& options) {
  options.Validate();
  std::unique_ptr<ScoringModel> model = MakeScoringModel(folder, options);
  return std::make_unique<LmScorer>(
      ReadTokenizer(folder), std::move(model), HashModelFolder(folder));
}

}  // namespace londi::inference
