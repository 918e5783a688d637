#include "configs/bind.h"

namespace londi::configs {
namespace {

void BindLm(LmChoice& lm, const std::string& section, OptionTable& table) {
  table.Add(section + ".model",
            lm.model,
            {.meaning = "Hugging Face folder: config.json, tokenizer.json, *.safetensors"});
  table.Add(
      section + ".workers", lm.workers, {.meaning = "Inference processes", .min = 1, .max = 1024});
  table.Add(section + ".threads",
            lm.threads,
            {.meaning = "Threads of each worker's forward pass", .min = 1, .max = 1024});
}

}  // namespace

void BindLms(RunConfig& config, OptionTable& table) {
  table.Section("quick", "QUICK, the small LM: it proposes at every step");
  BindLm(config.quick, "quick", table);
  table.Section("deepthink", "DEEPTHINK, the large LM: it is called where the Switcher says so");
  BindLm(config.deepthink, "deepthink", table);
}

}  // namespace londi::configs
