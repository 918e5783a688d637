#include "launch/finetune_run.h"

#include <ATen/Context.h>
#include <ATen/Parallel.h>
#include <fmt/format.h>

#include <atomic>
#include <exception>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>

#include "actors/envs/make_environment.h"
#include "actors/statistics.h"
#include "actors/worker_threads.h"
#include "configs/finetune_config.h"
#include "launch/cuda_plugin.h"
#include "launch/finetune_line.h"
#include "launch/run_folder.h"
#include "launch/shell_words.h"
#include "launch/signals.h"
#include "launch/terminal.h"
#include "launch/whole_run.h"

namespace londi::launch {
namespace {

constexpr std::chrono::milliseconds kRefresh{250};

// Steps with a progress that another thread shows.
class Watched {
 public:
  void Set(const learner::FinetuneProgress& progress) {
    std::lock_guard lock(mutex_);
    progress_ = progress;
  }
  learner::FinetuneProgress Get() const {
    std::lock_guard lock(mutex_);
    return progress_;
  }

 private:
  mutable std::mutex mutex_;
  learner::FinetuneProgress progress_;
};

std::string ByKind(const learner::Validation& validation) {
  std::string text;
  for (const auto& [name, kind] : validation.by_kind) {
    text += fmt::format(
        " {} {:.0f}%",
        name,
        100.0 * static_cast<double>(kind.successes) / static_cast<double>(kind.episodes));
  }
  return text;
}

std::string Method(const learner::FinetuneOptions& options) {
  const learner::ExamplesOptions& examples = options.examples;
  const std::string teacher = examples.teacher.empty()
                                  ? "the environment's expert"
                                  : fmt::format("the LM {}", examples.teacher.filename().string());
  const std::string base =
      options.base.empty() ? ""
                           : fmt::format("from the LM {} on, ", options.base.filename().string());
  std::string method = fmt::format(
      "{}behaviour cloning of {} from {} demonstrations", base, teacher, examples.demonstrations);
  if (examples.episodes == 0) return method;
  const std::string corrected =
      examples.partner.empty()
          ? "the student"
          : fmt::format("the student and the LM {}", examples.partner.filename().string());
  return method + (examples.corrections == learner::Corrections::kTakeover
                       ? ", then corrections by it, which takes over from " + corrected
                       : ", then corrections by it of the steps of " + corrected + " (DAgger)");
}

std::string Card(const configs::FinetuneConfig& config,
                 const std::filesystem::path& recipe,
                 const inference::ModelSpec& spec,
                 const learner::Validation& validation) {
  std::string card = fmt::format(
      "# {}\n\n"
      "An LM that acts in text environments, made by `londi finetune {}`: {}. "
      "The recipe is the configuration; nothing else went "
      "in.\n\n"
      "| | |\n|---|---|\n"
      "| architecture | Llama, {} layers, width {}, MLP {}, {} heads, {} tokens |\n"
      "| parameters | {} ({} without the embedding) |\n"
      "| environment | {}, {} distractors |\n"
      "| optimizer steps x tokens | {} x about {} |\n\n"
      "Success of its greedy actions on {} episodes that no training saw "
      "(95 % Wilson interval), and how often its action was its teacher's: {:.1f} %.\n\n"
      "| kind | episodes | success | 95 % | mean steps |\n|---|---|---|---|---|\n",
      config.output.filename().string(),
      recipe.filename().string(),
      Method(config.finetune),
      spec.num_layers,
      spec.hidden_size,
      spec.intermediate_size,
      spec.num_heads,
      spec.vocab_size,
      spec.num_parameters(),
      spec.body_parameters(),
      config.environment.id,
      config.environment.num_distractors,
      config.finetune.steps,
      config.finetune.batch_tokens,
      validation.Total().episodes,
      100 * validation.teacher_agreement);
  const auto row = [&](const std::string& name, const learner::Validation::Kind& kind) {
    const auto interval = actors::WilsonInterval(kind.successes, kind.episodes);
    const auto n = static_cast<double>(kind.episodes);
    card += fmt::format("| {} | {} | {:.1f} % | {:.1f} to {:.1f} | {:.1f} |\n",
                        name,
                        kind.episodes,
                        100 * static_cast<double>(kind.successes) / n,
                        100 * interval.low,
                        100 * interval.high,
                        static_cast<double>(kind.steps) / n);
  };
  for (const auto& [name, kind] : validation.by_kind) row(name, kind);
  row("all", validation.Total());
  return card;
}

// The training in a thread of its own, while this one shows progress and listens to signals.
class FinetuneRun {
 public:
  FinetuneRun(const FinetuneRunOptions& options)
      : options_(options), config_(configs::LoadFinetuneConfig(options.config, options.sets)) {}

  int Run() {
    bool finished = false;
    actors::WorkerThreads thread([this] { stopping_ = true; });
    thread.Start("finetune", [&] { finished = Train(); });
    const core::SystemClock clock;
    std::optional<std::int64_t> first_step;
    core::TimePoint started = clock.Now();
    for (core::TimePoint now = started; !thread.WaitUntil(now); now = clock.Now()) {
      if (signals_.num_stop_requests() > 0) stopping_ = true;
      const learner::FinetuneProgress progress = watched_.Get();
      if (!first_step && progress.step > 0) {
        first_step = progress.step - 1;
        started = now;
      }
      SayNewValidation(progress);
      terminal_.Progress(
          FinetuneLine(progress, first_step.value_or(0), now - started, config_.final_episodes),
          now);
      signals_.WaitUntil(now + kRefresh);
    }
    thread.Join();
    SayNewValidation(watched_.Get());
    if (finished) {
      if (final_) SayFinal(*final_);
      return 0;
    }
    terminal_.Say(fmt::format("stopped; go on with: londi finetune {} --resume{}",
                              ShellWord(options_.config.string()),
                              SetOptions(options_.sets)));
    return kStatusInterrupted;
  }

 private:
  bool Train() {
    if (config_.finetune.device != "cpu") static_cast<void>(LoadCuda());
    at::init_num_threads();
    if (config_.threads > 0) at::set_num_threads(config_.threads);
    at::globalContext().setFloat32MatmulPrecision(config_.matmul_precision);
    const std::filesystem::path checkpoint = config_.output / "checkpoint";
    learner::Finetune finetune(
        config_.finetune,
        [environment = config_.environment] {
          return actors::MakeEnvironmentWithExpert(environment.id, environment.options());
        },
        checkpoint,
        options_.resume,
        stopping_);
    if (!finetune.Run([this](const auto& progress) { watched_.Set(progress); })) return false;
    finetune.Export(config_.output);
    if (config_.final_episodes > 0) {
      final_ = finetune.Validate(static_cast<std::uint64_t>(config_.finetune.validation_episodes),
                                 config_.final_episodes);
      if (stopping_) return false;
      WriteFileAtomically(config_.output / "README.md",
                          Card(config_, options_.config, finetune.spec(), *final_));
    }
    std::filesystem::remove_all(checkpoint);
    return true;
  }

  void SayNewValidation(const learner::FinetuneProgress& progress) {
    if (progress.validated_at == said_of_step_) return;
    said_of_step_ = progress.validated_at;
    terminal_.Say(
        fmt::format("step {}: success {:.1f} % ({} episodes:{}), the teacher's action {:.1f} %",
                    progress.validated_at,
                    100 * progress.validation->SuccessShare(),
                    progress.validation->Total().episodes,
                    ByKind(*progress.validation),
                    100 * progress.validation->teacher_agreement));
  }

  void SayFinal(const learner::Validation& validation) {
    terminal_.Say(fmt::format("success {:.1f} % ({} unseen episodes:{})",
                              100 * validation.SuccessShare(),
                              validation.Total().episodes,
                              ByKind(validation)));
  }

  const FinetuneRunOptions options_;
  const configs::FinetuneConfig config_;
  Signals signals_;
  Terminal terminal_;
  Watched watched_;
  std::int64_t said_of_step_ = 0;  // The newest validation that was told.
  std::atomic<bool> stopping_ = false;
  std::optional<learner::Validation> final_;  // Set by the training's thread before it ends.
};

}  // namespace

int RunFinetune(const FinetuneRunOptions& options) { return FinetuneRun(options).Run(); }

}  // namespace londi::launch
