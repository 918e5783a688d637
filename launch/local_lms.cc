#include "launch/local_lms.h"

#include <string>
#include <utility>

#include "actors/worker_threads.h"
#include "core/clock.h"
#include "inference/inference_server.h"
#include "inference/load_lm.h"
#include "launch/cuda_plugin.h"
#include "launch/wiring.h"
#include "transport/in_process.h"

namespace londi::launch {

struct LocalLms::Worker {
  Worker(const configs::RunConfig& config,
         core::Tier tier,
         monitor::Metrics& metrics,
         monitor::Logger logger)
      : scorer(Load(LmOf(config, tier), logger)),
        server(ServerOptionsOf(config, tier),
               {.channel = channel,
                .scorer = *scorer,
                .metrics = metrics,
                .logger = std::move(logger),
                .clock = clock}),
        thread([this] { server.RequestStop(); }) {
    thread.Start(std::string("infer.") + core::TierName(tier), [this] { server.Run(); });
  }

  static std::unique_ptr<inference::LmScorer> Load(const configs::LmChoice& lm,
                                                   const monitor::Logger& logger) {
    LoadCudaFor(lm.load.device, logger);
    return inference::LoadLm(lm.model, lm.load);
  }

  const core::SystemClock clock;
  transport::InProcessLmChannel channel;
  const std::unique_ptr<inference::LmScorer> scorer;
  inference::InferenceServer server;
  actors::WorkerThreads thread;  // Last: it uses what stands above.
};

LocalLms::LocalLms(const configs::RunConfig& config,
                   monitor::Metrics& metrics,
                   monitor::Logger logger)
    : quick_(std::make_unique<Worker>(config, core::Tier::kQuick, metrics, logger)),
      deepthink_(std::make_unique<Worker>(config, core::Tier::kDeepthink, metrics, logger)) {}

LocalLms::~LocalLms() = default;

core::LanguageModel& LocalLms::quick() { return quick_->channel.client(); }
core::LanguageModel& LocalLms::deepthink() { return deepthink_->channel.client(); }

void LocalLms::ThrowIfFailed() {
  for (Worker* worker : {quick_.get(), deepthink_.get()}) {
    if (worker->thread.WaitUntil(worker->clock.Now())) worker->thread.Join();
  }
}

}  // namespace londi::launch
