#include "actors/envs/babyai/trace.h"

#include <charconv>
#include <fstream>
#include <functional>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "actors/envs/babyai/babyai_environment.h"
#include "actors/envs/babyai/rng.h"
#include "core/error.h"

namespace londi::actors::babyai {
namespace {

// The next action, given the previous one; nullopt: no more.
using Policy = std::function<std::optional<std::string>(std::string_view previous_action)>;

std::string ParseLine(const std::string& line, const std::string& file, int line_number) {
  if (ParseAction(line)) return line;
  if (line.size() == 1 && line[0] >= '0' && line[0] <= '5') {
    return std::string(kActionTexts[static_cast<std::size_t>(line[0] - '0')]);
  }
  throw core::ConfigError(
      {.what = file + ":" + std::to_string(line_number) + ": '" + line + "' is no action",
       .why = "known are: turn left, turn right, go forward, pick up, drop, toggle, or 0 to 5.",
       .fix = "write one of these per line."});
}

Policy ReadActions(const std::string& path) {
  std::ifstream file(path);
  if (!file) {
    throw core::IoError({.what = "cannot read '" + path + "'",
                         .why = "the trace's actions come from this file.",
                         .fix = "name a readable file with one action per line."});
  }
  std::vector<std::string> actions;
  int line_number = 0;
  for (std::string line; std::getline(file, line);) {
    ++line_number;
    if (!line.empty() && line.back() == '\r') line.pop_back();
    if (!line.empty()) actions.push_back(ParseLine(line, path, line_number));
  }
  return [actions = std::move(actions),
          next = std::size_t{0}](std::string_view) mutable -> std::optional<std::string> {
    if (next == actions.size()) return std::nullopt;
    return actions[next++];
  };
}

[[noreturn]] void ThrowBadPolicy(const std::string& policy) {
  throw core::ConfigError({.what = "unknown policy '" + policy + "'",
                           .why = "a trace needs to know which actions to take.",
                           .fix = "use bot, random:SEED (e.g. random:7) or a file of actions."});
}

Policy RandomPolicy(const std::string& policy) {
  constexpr std::string_view kPrefix = "random:";
  std::uint64_t seed = 0;
  const char* const end = policy.data() + policy.size();
  if (!policy.starts_with(kPrefix)) ThrowBadPolicy(policy);
  const auto [stop, error] = std::from_chars(policy.data() + kPrefix.size(), end, seed);
  if (error != std::errc{} || stop != end) ThrowBadPolicy(policy);
  return [rng = NumpyRng(seed)](std::string_view) mutable -> std::optional<std::string> {
    return std::string(kActionTexts[static_cast<std::size_t>(rng.Integers(0, 6))]);
  };
}

Policy ExpertPolicy(core::Expert* expert, TraceSummary& summary) {
  if (expert == nullptr) ThrowBadPolicy("bot");
  expert->Reset();
  return [&summary, expert](std::string_view previous_action) -> std::optional<std::string> {
    std::string action = expert->Advise(previous_action);
    if (!action.empty()) return action;
    summary.expert_gave_up = true;
    return std::nullopt;
  };
}

std::string ImageHex(const View& view) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string hex;
  for (const Cell& cell : view.cells) {
    for (const auto byte : {static_cast<unsigned>(cell.type),
                            static_cast<unsigned>(cell.color),
                            static_cast<unsigned>(cell.state)}) {
      hex += kDigits[byte >> 4];
      hex += kDigits[byte & 15];
    }
  }
  return hex;
}

void WriteLine(const core::Environment& environment,
               int step,
               const nlohmann::json& action,
               const core::StepResult& result,
               std::ostream& out) {
  nlohmann::ordered_json line;
  line["mission"] = result.observation.mission;
  line["step"] = step;
  line["action"] = action;
  line["reward"] = result.reward;
  line["terminated"] = result.terminated;
  line["truncated"] = result.truncated;
  line["text"] = result.observation.sentences;
  if (const auto* babyai = dynamic_cast<const BabyAiEnvironment*>(&environment)) {
    line["direction"] = static_cast<int>(babyai->world().direction);
    line["image"] = ImageHex(babyai->view());
  }
  out << line.dump() << '\n';
}

}  // namespace

TraceSummary WriteTrace(const TraceOptions& options, std::ostream& out) {
  if (options.actions_file.empty() == options.policy.empty()) {
    throw core::ConfigError(
        {.what = "a trace takes either a file of actions or a policy",
         .why = options.policy.empty() ? "neither is given." : "both are given.",
         .fix = "give one of them."});
  }
  const core::EnvironmentWithExpert made =
      MakeEnvironmentWithExpert(options.environment, options.environment_options);
  core::Environment& environment = *made.environment;
  TraceSummary summary;
  core::StepResult result;
  result.observation = environment.Reset(options.seed);
  const Policy policy = !options.actions_file.empty() ? ReadActions(options.actions_file)
                        : options.policy == "bot"     ? ExpertPolicy(made.expert.get(), summary)
                                                      : RandomPolicy(options.policy);
  WriteLine(environment, 0, nullptr, result, out);
  std::string previous_action;
  while (!result.done()) {
    std::optional<std::string> action = policy(previous_action);
    if (!action) break;
    result = environment.Step(*action);
    WriteLine(environment, ++summary.num_steps, *action, result, out);
    previous_action = *std::move(action);
  }
  summary.done = result.done();
  return summary;
}

}  // namespace londi::actors::babyai
