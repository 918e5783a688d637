#include "learner/finetune/finetune.h"

#include <ATen/core/Tensor.h>

#include <algorithm>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>
#include <utility>

#include "core/error.h"
#include "inference/device.h"
#include "inference/load_lm.h"
#include "inference/models/llama_scoring.h"
#include "inference/tokenizers/tokenizer_json.h"

namespace londi::learner {
namespace {

constexpr std::size_t kStudentCacheBytes = std::size_t{1} << 30;
constexpr double kSmoothing = 0.98;

void Require(bool holds, const std::string& name, double value, const std::string& limits) {
  if (holds) return;
  throw core::ConfigError({.what = name + " is " + std::to_string(value),
                           .why = "it must be " + limits,
                           .fix = "change it in the configuration, or with --set"});
}

std::filesystem::path ParametersFile(const std::filesystem::path& folder) {
  return folder / "training.safetensors";
}
std::filesystem::path StateFile(const std::filesystem::path& folder) {
  return folder / "state.json";
}

void WriteText(const std::filesystem::path& file, const std::string& text) {
  const std::filesystem::path temporary = file.string() + ".tmp";
  std::error_code error;
  {
    std::ofstream out(temporary, std::ios::binary);
    out << text;
    if (!out.flush()) error = std::make_error_code(std::errc::io_error);
  }
  if (!error) std::filesystem::rename(temporary, file, error);
  if (!error) return;
  throw core::IoError({.what = file.string() + " cannot be written",
                       .why = error.message(),
                       .fix = "check that the folder exists, is writable and has space"});
}

void MakeFolder(const std::filesystem::path& folder) {
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (!error) return;
  throw core::IoError({.what = "the folder " + folder.string() + " cannot be made",
                       .why = error.message(),
                       .fix = "make it writable, or choose another output folder"});
}

// nullptr where no folder is named.
std::unique_ptr<inference::LmScorer> LoadFixedLm(const std::filesystem::path& folder,
                                                 const std::string& device) {
  if (folder.empty()) return nullptr;
  return inference::LoadLm(folder, {.device = device, .device_key = "finetune.device"});
}

}  // namespace

void ExamplesOptions::Validate() const {
  Require(demonstrations >= 1, "examples.demonstrations", demonstrations, "1 or more");
  Require(demonstrations_only >= 0 && demonstrations_only <= 1,
          "examples.demonstrations_only",
          demonstrations_only,
          "0..1");
  Require(collect_every >= 1, "examples.collect_every", collect_every, "1 or more");
  Require(episodes >= 0, "examples.episodes", episodes, "0 or more");
  Require(
      student_share >= 0 && student_share <= 1, "examples.student_share", student_share, "0..1");
  Require(
      partner_share >= 0 && partner_share <= 1, "examples.partner_share", partner_share, "0..1");
  Require(takeover_steps >= 1, "examples.takeover_steps", takeover_steps, "1 or more");
  Require(max_steps >= 0, "examples.max_steps", max_steps, "0 or more");
  Require(kept >= 1, "examples.kept", kept, "1 or more");
}

void FinetuneOptions::Validate() const {
  tokenizer.Validate();
  examples.Validate();
  optimizer.Validate();
  Require(steps >= 1, "finetune.steps", static_cast<double>(steps), "1 or more");
  Require(
      batch_tokens >= 1, "finetune.batch_tokens", static_cast<double>(batch_tokens), "1 or more");
  Require(
      validation_episodes >= 1, "finetune.validation_episodes", validation_episodes, "1 or more");
  Require(validate_every >= 1,
          "finetune.validate_every",
          static_cast<double>(validate_every),
          "1 or more");
  Require(checkpoint_every >= 1,
          "finetune.checkpoint_every",
          static_cast<double>(checkpoint_every),
          "1 or more");
  if (!base.empty()) return;  // Its shape is checked where it is read.
  inference::ModelSpec shape = model;
  shape.vocab_size = tokenizer.vocab_size;
  shape.Validate();
}

Validation::Kind Validation::Total() const {
  Kind total;
  for (const auto& [name, kind] : by_kind) {
    total.episodes += kind.episodes;
    total.successes += kind.successes;
    total.steps += kind.steps;
  }
  return total;
}

double Validation::SuccessShare() const {
  const Kind total = Total();
  return total.episodes == 0
             ? 0
             : static_cast<double>(total.successes) / static_cast<double>(total.episodes);
}

Finetune::Finetune(const FinetuneOptions& options,
                   ExpertFactory make_environment,
                   std::filesystem::path checkpoint,
                   bool resume,
                   const std::atomic<bool>& stopping)
    : options_(options),
      make_environment_(std::move(make_environment)),
      checkpoint_(std::move(checkpoint)),
      stopping_(stopping),
      random_(options.seed) {
  options_.Validate();
  teacher_ = LoadFixedLm(options_.examples.teacher, options_.device);
  partner_ = LoadFixedLm(options_.examples.partner, options_.device);
  if (resume) {
    Resume();
    return;
  }
  if (!options_.base.empty()) {
    tokenizer_json_ = inference::ReadTokenizerText(options_.base);
    MakeModel((options_.base / "tokenizer.json").string());
    static_cast<void>(MakeStudent());  // Refuses a tokenizer of other weights.
  }
  MakeFolder(checkpoint_);
  Begin();
}

// A new tokenizer is learned from the first demonstrations, which are then the first examples.
void Finetune::Begin() {
  const std::vector<LabelledEpisode> episodes =
      RunRollouts(make_environment_,
                  Lms(nullptr),
                  {.first_seed = options_.first_seed,
                   .episodes = options_.examples.demonstrations,
                   .student_share = 0},
                  stopping_);
  if (stopping_) return;  // A tokenizer of some of them would be another one.
  if (options_.base.empty()) {
    std::vector<std::string> texts;
    for (const LabelledEpisode& episode : episodes) texts.push_back(episode.text);
    tokenizer_json_ = TrainTokenizer(texts, options_.tokenizer) + "\n";
    MakeModel("the new tokenizer");
  }
  AddExamples(episodes);
}

void Finetune::MakeModel(const std::string& tokenizer_source) {
  inference::TokenizerParts parts = inference::ParseTokenizer(tokenizer_json_, tokenizer_source);
  inference::ModelSpec spec = options_.model;
  spec.vocab_size = static_cast<std::int64_t>(parts.model.vocab.size());
  tokenizer_ = std::make_unique<inference::Tokenizer>(std::move(parts));
  const at::Device device(inference::ResolveDevice(options_.device, "finetune.device"));
  cloning_ = std::make_unique<BehaviourCloning>(
      options_.base.empty() ? inference::RandomLlama(spec, options_.seed, device)
                            : inference::LoadLlama(options_.base, device),
      options_.optimizer);
}

void Finetune::Resume() {
  std::ifstream in(StateFile(checkpoint_));
  const auto state = nlohmann::json::parse(in, nullptr, false);
  if (!state.is_object() || !state.contains("step") || !state.contains("tokenizer")) {
    throw core::ModelError({.what = "there is no training to resume in " + checkpoint_.string(),
                            .why = "state.json is missing or damaged",
                            .fix = "start anew without --resume"});
  }
  step_ = state.value("step", std::int64_t{0});
  collected_ = state.value("collected", std::int64_t{0});
  random_.set_state(state.value("random", random_.state()));
  tokenizer_json_ = state.value("tokenizer", std::string());
  MakeModel(StateFile(checkpoint_).string());
  cloning_->Load(ParametersFile(checkpoint_));
  if (step_ >= options_.steps) return;
  // The examples are not kept: as many as the training began with are collected anew.
  Collect(options_.examples.demonstrations,
          HasCorrectionsAt(step_) ? options_.examples.student_share : 0);
}

void Finetune::SaveCheckpoint() const {
  cloning_->Save(ParametersFile(checkpoint_));
  WriteText(StateFile(checkpoint_),
            nlohmann::json{{"step", step_},
                           {"collected", collected_},
                           {"random", random_.state()},
                           {"tokenizer", tokenizer_json_}}
                .dump());
}

RolloutLms Finetune::Lms(inference::LmScorer* student) const {
  return {.student = student, .teacher = teacher_.get(), .partner = partner_.get()};
}

std::unique_ptr<inference::LmScorer> Finetune::MakeStudent() const {
  return std::make_unique<inference::LmScorer>(
      inference::ParseTokenizer(tokenizer_json_, "the tokenizer"),
      inference::MakeLlamaScoring(cloning_->weights(), kStudentCacheBytes),
      "in training");
}

void Finetune::Collect(std::int32_t episodes, double student_share) {
  const auto student = MakeStudent();
  AddExamples(
      RunRollouts(make_environment_,
                  Lms(student.get()),
                  {.first_seed = options_.first_seed + static_cast<std::uint64_t>(collected_),
                   .episodes = episodes,
                   .student_share = student_share,
                   .partner_share = partner_ == nullptr ? 0 : options_.examples.partner_share,
                   .corrections = options_.examples.corrections,
                   .takeover_steps = options_.examples.takeover_steps,
                   .max_steps = options_.examples.max_steps,
                   .draw_seed = random_.Next()},
                  stopping_));
}

void Finetune::AddExamples(const std::vector<LabelledEpisode>& episodes) {
  for (const LabelledEpisode& episode : episodes) {
    ++collected_;
    TrainingSequence sequence = Encode(episode, *tokenizer_);
    if (!sequence.rows.empty()) examples_.push_back(std::move(sequence));
  }
  while (examples_.size() > static_cast<std::size_t>(options_.examples.kept)) examples_.pop_front();
}

std::vector<const TrainingSequence*> Finetune::DrawBatch() {
  std::vector<const TrainingSequence*> batch;
  std::int64_t tokens = 0;
  while (tokens < options_.batch_tokens) {
    const auto chosen =
        static_cast<std::size_t>(random_.Uniform() * static_cast<double>(examples_.size()));
    batch.push_back(&examples_[chosen]);
    tokens += static_cast<std::int64_t>(batch.back()->tokens.size());
  }
  return batch;
}

bool Finetune::HasCorrectionsAt(std::int64_t step) const {
  return options_.examples.episodes > 0 &&
         static_cast<double>(step) >=
             std::max(options_.examples.demonstrations_only * static_cast<double>(options_.steps),
                      1.0);
}

Validation Finetune::Validate(std::uint64_t first, std::int32_t episodes) {
  const auto student = MakeStudent();
  const auto results =
      RunRollouts(make_environment_,
                  Lms(student.get()),
                  {.first_seed = options_.first_validation_seed + first, .episodes = episodes},
                  stopping_);
  Validation validation;
  std::int64_t labels = 0, agreed = 0;
  for (const LabelledEpisode& episode : results) {
    Validation::Kind& kind = validation.by_kind[episode.kind];
    ++kind.episodes;
    kind.successes += episode.success;
    kind.steps += episode.num_steps;
    labels += static_cast<std::int64_t>(episode.steps.size());
    for (const LabelledEpisode::Step& step : episode.steps) agreed += step.agreed;
  }
  validation.teacher_agreement =
      static_cast<double>(agreed) / static_cast<double>(std::max<std::int64_t>(labels, 1));
  return validation;
}

bool Finetune::Run(const std::function<void(const FinetuneProgress&)>& on_progress) {
  if (cloning_ == nullptr) return false;
  FinetuneProgress progress{.step = step_, .steps = options_.steps, .episodes = collected_};
  if (step_ >= options_.steps && on_progress) on_progress(progress);  // Only the rest is missing.
  double weight = 0;
  while (step_ < options_.steps && !stopping_ && !examples_.empty()) {
    // 1. New examples  2. One optimizer step  3. Validation  4. Checkpoint
    if (HasCorrectionsAt(step_) && step_ % options_.examples.collect_every == 0)
      Collect(options_.examples.episodes, options_.examples.student_share);
    if (stopping_) break;
    const auto result =
        cloning_->Step(DrawBatch(), LearningRate(options_.optimizer, step_, options_.steps));
    ++step_;
    weight = kSmoothing * weight + 1;
    progress.loss += (result.loss - progress.loss) / weight;
    progress.accuracy += (result.accuracy - progress.accuracy) / weight;
    progress.step = step_;
    progress.episodes = collected_;
    progress.tokens += result.tokens;
    if (step_ % options_.validate_every == 0 && step_ < options_.steps) {
      progress.validation = Validate(0, options_.validation_episodes);
      progress.validated_at = step_;
    }
    if (step_ % options_.checkpoint_every == 0) SaveCheckpoint();
    if (on_progress) on_progress(progress);
  }
  SaveCheckpoint();
  return step_ >= options_.steps;
}

void Finetune::Export(const std::filesystem::path& folder) const {
  inference::SaveLlama(cloning_->weights(), folder);
  WriteText(folder / "tokenizer.json", tokenizer_json_);
}

}  // namespace londi::learner
