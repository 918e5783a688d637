#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "inference/models/model_spec.h"
#include "learner/finetune/behaviour_cloning.h"
#include "learner/finetune/bpe_trainer.h"
#include "learner/finetune/rollouts.h"
#include "learner/replay/random.h"

namespace londi::learner {

// Where the examples come from. Training begins with the teacher's demonstrations; then, every few
// steps, new episodes are acted out, most of them by the student, all labelled by the teacher.
struct ExamplesOptions {
  // Folder of the LM whose greedy actions are taught (sequence-level distillation, Kim and Rush
  // 2016, arXiv:1606.07947); empty: the environment's expert is the teacher.
  std::filesystem::path teacher;
  std::int32_t demonstrations = 5'000;  // Episodes of the teacher before the first step, >= 1.
  double demonstrations_only = 0.1;     // Share of the steps that sees nothing else, 0..1.
  std::int32_t collect_every = 50;      // Steps between collections, >= 1.
  std::int32_t episodes = 250;          // Per collection, >= 0; 0 = plain behaviour cloning.
  double student_share = 0.8;           // Of them begun by the student, 0..1.
  // Folder of an LM that begins some of the student's episodes in its place, so that the student
  // learns to mend what that one does; empty: nobody.
  std::filesystem::path partner;
  double partner_share = 0.5;  // Of the student's episodes, 0..1.
  Corrections corrections = Corrections::kTakeover;
  std::int32_t takeover_steps = 32;  // The student acts for 1 to so many steps, >= 1.
  std::int32_t max_steps = 100;      // Collected episodes are left after so many; 0 = never.
  std::int32_t kept = 40'000;        // The newest episodes are trained on, >= 1.
  void Validate() const;             // Throws core::ConfigError.
};

struct FinetuneOptions {
  // Hugging Face folder of the Llama-architecture LM that training begins with, in the place of
  // `model` and `tokenizer`; empty: random weights and a new tokenizer.
  std::filesystem::path base;
  // Shape of the LM; vocab_size is set from the tokenizer.
  inference::ModelSpec model{.hidden_size = 128,
                             .intermediate_size = 352,
                             .num_layers = 4,
                             .num_heads = 4,
                             .num_kv_heads = 4,
                             .head_dim = 32,
                             .max_positions = 4096,
                             .tie_word_embeddings = true};
  TokenizerOptions tokenizer;
  ExamplesOptions examples;
  AdamWOptions optimizer;
  std::int64_t steps = 10'000;             // Optimizer steps, >= 1.
  std::int64_t batch_tokens = 6'000;       // Episodes are packed up to about so many, >= 1.
  std::int32_t validation_episodes = 200;  // >= 1
  std::int64_t validate_every = 1'000;     // Steps, >= 1.
  std::int64_t checkpoint_every = 500;     // Steps, >= 1.
  std::uint64_t seed = 1;
  std::string device = "auto";  // auto, cpu, cuda, cuda:<index>
  // Of the environment: [first_seed, ...) for examples, and validation's own.
  std::uint64_t first_seed = 0;
  std::uint64_t first_validation_seed = 0;
  void Validate() const;  // Throws core::ConfigError, core::ModelError.
};

// How well a student acts on its own.
struct Validation {
  struct Kind {
    std::int64_t episodes = 0, successes = 0, steps = 0;
  };
  std::map<std::string, Kind> by_kind;
  double teacher_agreement = 0;  // Share of its actions that were the teacher's.

  Kind Total() const;
  double SuccessShare() const;  // Of all episodes, 0 where there are none.
};

struct FinetuneProgress {
  std::int64_t step = 0, steps = 0;
  double loss = 0;                       // nats per label token, smoothed.
  double accuracy = 0;                   // Smoothed.
  std::int64_t episodes = 0;             // Collected so far.
  std::int64_t tokens = 0;               // Trained on since the start of this process.
  std::optional<Validation> validation;  // The newest, of step `validated_at`.
  std::int64_t validated_at = 0;
};

// Teaches an LM to act as an environment's expert or another LM does: behaviour cloning, then
// corrections where the student errs (DAgger). The result is a Hugging Face folder.
class Finetune {
 public:
  // `checkpoint`: folder of what a resumed training needs. With `resume` it goes on from there;
  // throws core::ModelError when there is nothing that fits. `stopping` outlives this object.
  Finetune(const FinetuneOptions& options,
           ExpertFactory make_environment,
           std::filesystem::path checkpoint,
           bool resume,
           const std::atomic<bool>& stopping);

  // Trains until done or `stopping`, with a checkpoint at the end. False: stopped before the end;
  // without a checkpoint where the first demonstrations were not there yet.
  bool Run(const std::function<void(const FinetuneProgress&)>& on_progress);

  // Greedy episodes on the validation seeds from `first` on.
  Validation Validate(std::uint64_t first, std::int32_t episodes);

  // Writes config.json, model.safetensors and tokenizer.json. Throws core::IoError.
  void Export(const std::filesystem::path& folder) const;

  // After Run.
  const inference::ModelSpec& spec() const { return cloning_->weights().spec; }

 private:
  void Begin();
  void Resume();
  void MakeModel(const std::string& tokenizer_source);  // Untrained, or the base.
  void Collect(std::int32_t episodes, double student_share);
  void AddExamples(const std::vector<LabelledEpisode>& episodes);
  std::vector<const TrainingSequence*> DrawBatch();
  RolloutLms Lms(inference::LmScorer* student) const;
  std::unique_ptr<inference::LmScorer> MakeStudent() const;
  void SaveCheckpoint() const;
  bool HasCorrectionsAt(std::int64_t step) const;

  const FinetuneOptions options_;
  const ExpertFactory make_environment_;
  const std::filesystem::path checkpoint_;
  const std::atomic<bool>& stopping_;
  std::unique_ptr<inference::LmScorer> teacher_;  // nullptr: the environment's expert.
  std::unique_ptr<inference::LmScorer> partner_;  // nullptr: none.
  std::string tokenizer_json_;
  std::unique_ptr<inference::Tokenizer> tokenizer_;
  std::unique_ptr<BehaviourCloning> cloning_;
  std::deque<TrainingSequence> examples_;
  Random random_;
  std::int64_t step_ = 0;
  std::int64_t collected_ = 0;
};

}  // namespace londi::learner
