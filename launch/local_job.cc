#include "launch/local_job.h"

#include "launch/cuda_plugin.h"
#include "launch/in_process_job.h"
#include "launch/local_lms.h"
#include "launch/lock_step_job.h"
#include "launch/wiring.h"
#include "monitor/metrics.h"

namespace londi::launch {
namespace {

// The job together with the LMs it uses.
class LocalJob final : public Job {
 public:
  explicit LocalJob(const ProcessJobParts& parts) : lms_(parts.config, metrics_, parts.logger) {
    LoadCudaFor(parts.config.learner.device, parts.logger);
    const InProcessWorld world{
        .quick = lms_.quick(),
        .deepthink = lms_.deepthink(),
        .metrics = metrics_,
        .make_environment = MakeEnvironmentFactory(parts.config.environment)};
    job_ = parts.config.run.lock_step > 0 ? StartLockStepJob(parts, world)
                                          : StartInProcessJob(parts, world);
  }

  void Poll() override {
    lms_.ThrowIfFailed();
    job_->Poll();
  }
  ProgressSample Progress() override { return job_->Progress(); }
  void Stop(const Hurry& hurry) override { job_->Stop(hurry); }

 private:
  monitor::Metrics metrics_;
  LocalLms lms_;
  std::unique_ptr<Job> job_;
};

}  // namespace

std::unique_ptr<Job> StartLocalJob(const ProcessJobParts& parts) {
  return std::make_unique<LocalJob>(parts);
}

}  // namespace londi::launch
