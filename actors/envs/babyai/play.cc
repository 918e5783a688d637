#include "actors/envs/babyai/play.h"

#include <optional>
#include <string_view>
#include <utility>

#include "actors/envs/babyai/babyai_environment.h"

namespace londi::actors::babyai {
namespace {

constexpr std::string_view kHelp =
    "  l turn left   r turn right   f go forward   p pick up   d drop   t toggle (doors, boxes)\n"
    "  h hint by the bot   n next episode   ? this help   q quit\n"
    "  map: ## wall  >> you  K key  O ball  B box  D closed door  L locked door  _ open door,\n"
    "       then the colour: r red  g green  b blue  p purple  y yellow  e grey\n";

char ColorLetter(Color color) { return color == Color::kGrey ? 'e' : Name(color).front(); }

std::string DrawCell(Cell cell) {
  constexpr std::string_view kDoors = "_DL";
  switch (cell.type) {
    case ObjectType::kUnseen:
    case ObjectType::kEmpty:
      return "  ";
    case ObjectType::kWall:
      return "##";
    case ObjectType::kDoor:
      return {kDoors[cell.state], ColorLetter(cell.color)};
    case ObjectType::kBall:
      return {'O', ColorLetter(cell.color)};
    default:
      return {static_cast<char>(Name(cell.type).front() - 'a' + 'A'), ColorLetter(cell.color)};
  }
}

// The action a line of input means: its letter or its text.
std::optional<std::string> ParseInput(std::string_view line) {
  constexpr std::string_view kLetters = "lrfpdt";
  if (ParseAction(line)) return std::string(line);
  const std::size_t index = line.size() == 1 ? kLetters.find(line[0]) : std::string_view::npos;
  if (index == std::string_view::npos) return std::nullopt;
  return std::string(kActionTexts[index]);
}

class Session {
 public:
  Session(const PlayOptions& options, std::istream& in, std::ostream& out)
      : options_(options),
        made_(MakeEnvironmentWithExpert(options.environment, options.environment_options)),
        in_(in),
        out_(out) {}

  int Run() {
    out_ << kHelp;
    for (std::uint64_t seed = options_.seed; PlayEpisode(seed); ++seed) {
    }
    return num_won_;
  }

 private:
  // False: the person left.
  bool PlayEpisode(std::uint64_t seed) {
    core::StepResult result;
    result.observation = made_.environment->Reset(seed);
    StartHints();
    out_ << "\nepisode " << seed << ": " << result.observation.mission << " (at most "
         << made_.environment->MaxSteps() << " steps)\n";
    Show(result.observation);
    while (!result.done()) {
      std::string line;
      out_ << "> " << std::flush;
      if (!std::getline(in_, line) || line == "q") return false;
      if (line == "n") return true;
      if (line == "h") {
        out_ << (hint_.empty() ? "the bot has no idea" : "the bot would " + hint_) << "\n";
        continue;
      }
      const std::optional<std::string> action = ParseInput(line);
      if (!action) {
        out_ << kHelp;
        continue;
      }
      result = made_.environment->Step(*action);
      Show(result.observation);
      if (!result.done()) Ask(*action);
    }
    num_won_ += result.reward > 0 ? 1 : 0;
    out_ << (result.reward > 0   ? "done"
             : result.terminated ? "failed"
                                 : "out of steps")
         << ", reward " << result.reward << "\n";
    return true;
  }

  // The expert has to be asked after each action, whether the person wants to know or not.
  void Ask(std::string_view previous_action) {
    if (made_.expert != nullptr) hint_ = made_.expert->Advise(previous_action);
  }

  void StartHints() {
    if (made_.expert != nullptr) made_.expert->Reset();
    Ask("");
  }

  void Show(const core::Observation& observation) const {
    const auto* babyai = dynamic_cast<const BabyAiEnvironment*>(made_.environment.get());
    if (options_.show_map && babyai != nullptr) out_ << DrawMap(babyai->world());
    for (const std::string& sentence : observation.sentences) out_ << "  " << sentence << "\n";
  }

  const PlayOptions& options_;
  core::EnvironmentWithExpert made_;
  std::istream& in_;
  std::ostream& out_;
  std::string hint_;  // What the expert would do now; "" when it does not know.
  int num_won_ = 0;
};

}  // namespace

std::string DrawMap(const World& world) {
  constexpr std::string_view kAgents[] = {">>", "vv", "<<", "^^"};
  std::string map;
  for (int y = 0; y < world.grid.height(); ++y) {
    for (int x = 0; x < world.grid.width(); ++x) {
      const Position p{x, y};
      map += p == world.agent ? std::string(kAgents[static_cast<std::size_t>(world.direction)])
                              : DrawCell(world.grid.CellAt(p));
    }
    map += '\n';
  }
  return map;
}

int Play(const PlayOptions& options, std::istream& in, std::ostream& out) {
  return Session(options, in, out).Run();
}

}  // namespace londi::actors::babyai
