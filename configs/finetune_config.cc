#include "configs/finetune_config.h"

#include "configs/bind.h"
#include "core/error.h"

namespace londi::configs {
namespace {

void BindModel(std::filesystem::path& base, inference::ModelSpec& model, OptionTable& table) {
  table.Section("model", "The LM that training begins with (Llama architecture)");
  table.Add("model.base",
            base,
            {.meaning = "Its Hugging Face folder, in the place of all other model.* and "
                        "tokenizer.*; empty = random weights of the shape below"});
  table.Add("model.hidden_size",
            model.hidden_size,
            {.meaning = "Width of the residual stream", .min = 2, .max = 65536});
  table.Add("model.intermediate_size",
            model.intermediate_size,
            {.meaning = "Width of the gated MLP", .min = 1, .max = 1e6});
  table.Add("model.num_layers", model.num_layers, {.meaning = "Layers", .min = 1, .max = 1000});
  table.Add("model.num_heads",
            model.num_heads,
            {.meaning = "Attention heads of queries", .min = 1, .max = 1024});
  table.Add("model.num_kv_heads",
            model.num_kv_heads,
            {.meaning = "Attention heads of keys and values", .min = 1, .max = 1024});
  table.Add("model.head_dim",
            model.head_dim,
            {.meaning = "Width of a head, even", .min = 2, .max = 1024});
  table.Add("model.max_positions",
            model.max_positions,
            {.meaning = "Longest episode", .unit = "tokens", .min = 1, .max = 1e7});
  table.Add("model.rope_theta",
            model.rope_theta,
            {.meaning = "Base of the rotary positions' wavelengths", .min = 1});
  table.Add("model.tie_word_embeddings",
            model.tie_word_embeddings,
            {.meaning = "The head is the embedding"});
}

void BindTokenizer(learner::TokenizerOptions& tokenizer, OptionTable& table) {
  table.Section("tokenizer", "Byte-level BPE, learned from the first demonstrations");
  table.Add("tokenizer.vocab_size",
            tokenizer.vocab_size,
            {.meaning = "At most so many tokens", .unit = "tokens", .min = 256, .max = 1e6});
  table.Add("tokenizer.split_after",
            tokenizer.split_after,
            {.meaning = "Regular expression of what ends a piece; no token reaches across pieces"});
  table.Add("tokenizer.split_before",
            tokenizer.split_before,
            {.meaning = "Regular expression of what begins a piece; empty = nothing"});
}

void BindExamples(learner::ExamplesOptions& examples, OptionTable& table) {
  table.Section("examples",
                "Demonstrations, and corrections of the student by its teacher (DAgger)");
  table.Add("examples.teacher",
            examples.teacher,
            {.meaning = "Folder of the LM whose actions are taught; empty = the environment's "
                        "expert is the teacher"});
  table.Add(
      "examples.demonstrations",
      examples.demonstrations,
      {.meaning = "Episodes of the teacher before the first step", .unit = "episodes", .min = 1});
  table.Add("examples.demonstrations_only",
            examples.demonstrations_only,
            {.meaning = "Share of the steps that sees nothing else", .min = 0, .max = 1});
  table.Add(
      "examples.collect_every",
      examples.collect_every,
      {.meaning = "New episodes are collected after so many steps", .unit = "steps", .min = 1});
  table.Add("examples.episodes",
            examples.episodes,
            {.meaning = "Episodes per collection; 0 = demonstrations are all there is",
             .unit = "episodes",
             .min = 0});
  table.Add("examples.student_share",
            examples.student_share,
            {.meaning = "Share of them that the student begins", .min = 0, .max = 1});
  table.Add("examples.partner",
            examples.partner,
            {.meaning = "Folder of an LM that begins some of the student's episodes in its place, "
                        "so that the student learns to mend what it does; empty = none"});
  table.Add(
      "examples.partner_share",
      examples.partner_share,
      {.meaning = "Share of the student's episodes that the partner begins", .min = 0, .max = 1});
  table.AddEnum(
      "examples.corrections",
      examples.corrections,
      {{"labels", learner::Corrections::kLabels}, {"takeover", learner::Corrections::kTakeover}},
      {.meaning = "labels: the student acts to the end, every step is labelled; takeover: "
                  "the teacher takes over, and only its steps are labels"});
  table.Add("examples.takeover_steps",
            examples.takeover_steps,
            {.meaning = "It takes over after 1 to so many steps", .unit = "steps", .min = 1});
  table.Add("examples.max_steps",
            examples.max_steps,
            {.meaning = "Collected episodes are left after so many; 0 = never",
             .unit = "steps",
             .min = 0});
  table.Add("examples.kept",
            examples.kept,
            {.meaning = "The newest so many are trained on", .unit = "episodes", .min = 1});
}

void BindOptimizer(learner::AdamWOptions& optimizer, OptionTable& table) {
  table.Section("optimizer", "AdamW with a cosine schedule");
  table.Add("optimizer.learning_rate",
            optimizer.learning_rate,
            {.meaning = "Learning rate at its highest", .min = 1e-12, .max = 1});
  table.Add("optimizer.final_share",
            optimizer.final_share,
            {.meaning = "Share of it at the end", .min = 0, .max = 1});
  table.Add("optimizer.warmup",
            optimizer.warmup,
            {.meaning = "Share of the steps in which it rises", .min = 0, .max = 1});
  table.Add("optimizer.weight_decay",
            optimizer.weight_decay,
            {.meaning = "Decoupled weight decay of the matrices", .min = 0, .max = 10});
  table.Add("optimizer.beta1",
            optimizer.beta1,
            {.meaning = "Decay of the first moments", .min = 0, .max = 0.999999});
  table.Add("optimizer.beta2",
            optimizer.beta2,
            {.meaning = "Decay of the second moments", .min = 0, .max = 0.999999});
  table.Add("optimizer.epsilon",
            optimizer.epsilon,
            {.meaning = "Added to the moments' root", .min = 1e-30, .max = 1});
  table.Add("optimizer.max_gradient_norm",
            optimizer.max_gradient_norm,
            {.meaning = "Longer gradients are scaled down to it", .min = 1e-12});
  table.Add("optimizer.text_loss_weight",
            optimizer.text_loss_weight,
            {.meaning = "Weight of the loss of all tokens, what is seen among them, beside the "
                        "labels'; 0: the labels alone",
             .min = 0});
}

void BindFinetune(FinetuneConfig& config, OptionTable& table) {
  learner::FinetuneOptions& finetune = config.finetune;
  table.Section("finetune", "The training as a whole");
  table.Add("finetune.output", config.output, {.meaning = "The Hugging Face folder that is made"});
  table.Add("finetune.seed", finetune.seed, {.meaning = "Seed of weights and examples"});
  table.Add("finetune.device",
            finetune.device,
            {.meaning = "auto, cpu, cuda or cuda:INDEX; auto = a GPU where one can be used"});
  table.Add("finetune.threads",
            config.threads,
            {.meaning = "Threads of the matrix products; 0 = one per core", .min = 0, .max = 1024});
  table.Add("finetune.matmul_precision",
            config.matmul_precision,
            {.meaning = "medium lets matrix products round their inputs where the CPU is faster so",
             .choices = {"highest", "medium"}});
  table.Add(
      "finetune.steps", finetune.steps, {.meaning = "Optimizer steps", .unit = "steps", .min = 1});
  table.Add(
      "finetune.batch_tokens",
      finetune.batch_tokens,
      {.meaning = "Whole episodes are packed up to about so many", .unit = "tokens", .min = 1});
  table.Add("finetune.validation_episodes",
            finetune.validation_episodes,
            {.meaning = "Episodes per validation", .unit = "episodes", .min = 1, .max = 50'000});
  table.Add("finetune.validate_every",
            finetune.validate_every,
            {.meaning = "Steps between validations", .unit = "steps", .min = 1});
  table.Add("finetune.checkpoint_every",
            finetune.checkpoint_every,
            {.meaning = "Steps between checkpoints", .unit = "steps", .min = 1});
  table.Add("finetune.final_episodes",
            config.final_episodes,
            {.meaning = "Unseen episodes that the model card reports; 0 = no card",
             .unit = "episodes",
             .min = 0,
             .max = 50'000});
}

}  // namespace

void FinetuneConfig::Validate() const {
  if (output.empty()) {
    throw core::ConfigError(
        {.what = "finetune.output is not set",
         .why = "the LM must be written somewhere",
         .fix = "set it in the configuration, or with --set finetune.output=FOLDER"});
  }
  static_cast<void>(actors::MakeEnvironment(environment.id, environment.options()));
  finetune.Validate();
}

void Bind(FinetuneConfig& config, OptionTable& table) {
  BindFinetune(config, table);
  BindEnvironment(config.environment, table);
  BindModel(config.finetune.base, config.finetune.model, table);
  BindTokenizer(config.finetune.tokenizer, table);
  BindExamples(config.finetune.examples, table);
  BindOptimizer(config.finetune.optimizer, table);
}

FinetuneConfig LoadFinetuneConfig(const std::filesystem::path& file,
                                  const std::vector<std::string>& sets) {
  FinetuneConfig config;
  OptionTable table(kPrintFinetuneOptions);
  Bind(config, table);
  table.ReadFile(file);
  for (const std::string& set : sets) table.Set(set);
  // The last hundred thousand of finetuning's seeds are for validation (actors/seeds.h).
  config.finetune.first_seed = actors::kFirstFinetuningSeed;
  config.finetune.first_validation_seed = actors::kFirstTrainingSeed - 100'000;
  config.Validate();
  return config;
}

}  // namespace londi::configs
