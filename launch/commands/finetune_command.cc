#include "launch/commands/finetune_command.h"

#include <CLI/CLI.hpp>
#include <memory>

#include "launch/finetune_run.h"

namespace londi::launch {

void AddFinetuneCommand(CLI::App& app, Chosen& chosen) {
  CLI::App* command = app.add_subcommand(
      "finetune", "Make an LM from the demonstrations and corrections of an environment's expert");
  auto options = std::make_shared<FinetuneRunOptions>();
  command->add_option("CONFIG", options->config, "For example configs/lms/quick.yaml")->required();
  command->add_option("--set", options->sets, "section.key=value on top of the file; repeatable")
      ->allow_extra_args(false);
  command->add_flag("--resume", options->resume, "Go on after an interruption");
  command->footer(
      "Writes a Hugging Face folder (config.json, model.safetensors, tokenizer.json) with a model\n"
      "card (README.md). Ctrl-C ends it with a checkpoint; --resume goes on from there.");
  command->callback([options, &chosen] { chosen = [options] { return RunFinetune(*options); }; });
}

}  // namespace londi::launch
