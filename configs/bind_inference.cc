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
  lm.load.device_key = section + ".device";
  table.Add(
      section + ".device",
      lm.load.device,
      {.meaning = "Where the LM is computed: auto, cpu, cuda or cuda:INDEX; auto = cuda where "
                  "there is a usable GPU"});
  table.Add(section + ".kv_cache_mib",
            lm.load.kv_cache_mib,
            {.meaning = "Memory of each worker for the prompts of running episodes, which are then "
                        "not computed again; 0 = none",
             .unit = "MiB",
             .min = 0,
             .max = 1 << 20});
}

}  // namespace

void BindLms(RunConfig& config, OptionTable& table) {
  table.Section("quick", "QUICK, the small LM: it proposes at every step");
  BindLm(config.quick, "quick", table);
  table.Section("deepthink", "DEEPTHINK, the large LM: it is called where the Switcher says so");
  BindLm(config.deepthink, "deepthink", table);
}

void BindBatching(inference::BatchingOptions& batching, OptionTable& table) {
  table.Section("inference", "How workers of both tiers make forward passes out of requests");
  table.Add("inference.max_requests",
            batching.max_requests,
            {.meaning = "Largest batch", .unit = "requests", .min = 1, .max = 65536});
  table.Add("inference.max_tokens",
            batching.max_tokens,
            {.meaning = "Largest batch; one request is always computed",
             .unit = "tokens",
             .min = 1,
             .max = 1 << 24});
  table.Add("inference.max_wait",
            batching.max_wait,
            {.meaning = "The oldest request waits this long for others", .min = 0, .max = 10});
  table.Add("inference.max_queued_tokens",
            batching.max_queued_tokens,
            {.meaning = "Requests beyond are sent to other workers, or wait in the actor",
             .unit = "tokens",
             .min = 1,
             .max = 1 << 30});
}

}  // namespace londi::configs
