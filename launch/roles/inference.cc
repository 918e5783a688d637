#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <chrono>
#include <memory>

#include "inference/inference_server.h"
#include "inference/load_lm.h"
#include "launch/cuda_plugin.h"
#include "launch/roles/role_process.h"
#include "launch/roles/roles.h"
#include "launch/wiring.h"
#include "transport/zmq_lm_server.h"

namespace londi::launch {
namespace {

std::unique_ptr<inference::LmScorer> Load(const configs::LmChoice& lm, monitor::Logger logger) {
  LoadCudaFor(lm.load.device, logger);
  const auto begin = std::chrono::steady_clock::now();
  auto scorer = inference::LoadLm(lm.model, lm.load);
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
  logger->info("loaded {} hash={} in {:.1f} s", lm.model.string(), scorer->hash(), took.count());
  return scorer;
}

}  // namespace

int RunInference(const std::filesystem::path& run_folder, core::Tier tier, int index) {
  RoleProcess process(run_folder,
                      {.name = fmt::format("inference.{}.{}", core::TierName(tier), index),
                       .role = transport::Role::kInference,
                       .tier = tier},
                      {});
  const auto scorer = Load(LmOf(process.config(), tier), process.basics().logger);
  const auto channel = transport::MakeZmqLmServer(process.channels());
  const core::SystemClock clock;
  inference::InferenceServer* serving = nullptr;
  // From the work loop: a worker whose forward pass hangs loses its lease.
  const auto renew = [&] {
    process.registry().Report(Counters(serving->progress()));
    if (process.ShouldStop()) serving->RequestStop();
  };
  inference::InferenceServer server(ServerOptionsOf(process.config(), tier),
                                    {.channel = *channel,
                                     .scorer = *scorer,
                                     .metrics = process.basics().metrics,
                                     .logger = process.basics().logger,
                                     .clock = clock,
                                     .on_progress = renew});
  serving = &server;
  // Only now: whoever finds the endpoint gets answers.
  process.registry().Announce({{transport::kLmEndpoint, channel->endpoint()}});
  server.Run();
  process.registry().Leave();
  return 0;
}

}  // namespace londi::launch
