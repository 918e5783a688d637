#include "learner/finetune/rollouts.h"

#include <algorithm>
#include <limits>
#include <memory>
#include <string>
#include <utility>
#include <variant>

#include "core/error.h"
#include "core/prompt.h"
#include "learner/random.h"

namespace londi::learner {
namespace {

// One of the concurrent episodes.
class Slot {
 public:
  explicit Slot(const ExpertFactory& make_environment) : parts_(make_environment()) {
    if (parts_.expert == nullptr) {
      throw core::ConfigError(
          {.what = "the environment has no expert",
           .why = "an LM is taught by one that knows the right actions",
           .fix = "choose an environment with an expert, e.g. babyai/MixedTrain"});
    }
  }

  // The student acts the first `student_steps`, then the expert.
  struct Turns {
    std::int32_t student_steps = 0;
    bool label_student = true;  // Its steps are labelled, too.
  };

  void Start(std::uint64_t seed, std::uint64_t session, const Turns& turns) {
    const core::Observation first = parts_.environment->Reset(seed);
    parts_.expert->Reset();
    transcript_ = core::Transcript(first);
    actions_ = parts_.environment->AdmissibleActions();
    episode_ = {.kind = parts_.environment->Kind(), .by_student = turns.student_steps > 0};
    turns_ = turns;
    session_ = session;
    last_action_.clear();
    expert_gave_up_ = false;
    active_ = true;
    AskExpert();
  }

  bool active() const { return active_; }
  bool needs_student() const { return active_ && episode_.num_steps < turns_.student_steps; }

  core::LmRequest Request() const {
    return {.prompt = transcript_.prompt(),
            .candidates = core::Transcript::Candidates(actions_),
            .terminator = std::string(core::Transcript::kTerminator),
            .session = session_};
  }

  void ActAsStudent(std::int32_t action) {
    const std::string chosen = actions_[static_cast<std::size_t>(action)];
    Act(chosen, turns_.label_student);
  }
  void ActAsExpert() {
    if (expert_gave_up_) {
      active_ = false;
      return;
    }
    Act(std::string(advice_), true);
  }

  // False: goes on.
  bool EndsAt(std::int32_t max_steps) {
    if (active_ && max_steps > 0 && episode_.num_steps >= max_steps) active_ = false;
    return !active_;
  }

  LabelledEpisode Take() {
    episode_.text = std::move(text_);
    return std::move(episode_);
  }

 private:
  void AskExpert() {
    if (expert_gave_up_) return;
    advice_ = parts_.expert->Advise(last_action_);
    expert_gave_up_ = advice_.empty();
  }

  void Act(const std::string& action, bool labelled) {
    if (labelled && !expert_gave_up_) {
      episode_.steps.push_back({.prompt_bytes = transcript_.prompt().size(),
                                .label = advice_,
                                .agreed = advice_ == action});
    }
    ++episode_.num_steps;
    // Also the last action is part of the text: its label is learned like all others.
    text_ = transcript_.prompt() + core::Transcript::Candidate(action) +
            std::string(core::Transcript::kTerminator);
    const core::StepResult result = parts_.environment->Step(action);
    last_action_ = action;
    if (result.done()) {
      episode_.success = result.terminated && result.reward > 0;
      active_ = false;
      return;
    }
    transcript_.Append(action, result.observation);
    actions_ = parts_.environment->AdmissibleActions();
    AskExpert();
  }

  core::EnvironmentWithExpert parts_;
  core::Transcript transcript_;
  std::vector<std::string> actions_;
  LabelledEpisode episode_;
  std::string text_;
  std::string advice_;
  std::string last_action_;
  std::uint64_t session_ = 0;
  Turns turns_;
  bool expert_gave_up_ = false;
  bool active_ = false;
};

void LetStudentAct(std::vector<std::unique_ptr<Slot>>& slots, inference::LmScorer& student) {
  std::vector<inference::PreparedRequest> requests;
  std::vector<Slot*> asking;
  for (const auto& slot : slots) {
    if (!slot->needs_student()) continue;
    auto prepared = student.Prepare(slot->Request());
    if (const auto* error = std::get_if<core::ErrorText>(&prepared)) throw core::Error(*error);
    requests.push_back(std::move(std::get<inference::PreparedRequest>(prepared)));
    asking.push_back(slot.get());
  }
  if (requests.empty()) return;
  const std::vector<core::Proposal> proposals = student.Score(requests);
  for (std::size_t i = 0; i < asking.size(); ++i) asking[i]->ActAsStudent(proposals[i].action);
}

}  // namespace

std::vector<LabelledEpisode> RunRollouts(const ExpertFactory& make_environment,
                                         inference::LmScorer* student,
                                         const RolloutPlan& plan,
                                         const std::atomic<bool>& stopping) {
  Random random(plan.draw_seed);
  std::vector<LabelledEpisode> episodes;
  std::vector<std::unique_ptr<Slot>> slots;
  std::int32_t started = 0;
  const auto draw_turns = [&]() -> Slot::Turns {
    if (student == nullptr || random.Uniform() >= plan.student_share) return {};
    if (plan.corrections == Corrections::kTakeover)
      return {.student_steps = random.Integer(1, plan.takeover_steps), .label_student = false};
    return {.student_steps = std::numeric_limits<std::int32_t>::max()};
  };
  const auto start_next = [&](Slot& slot) {
    slot.Start(plan.first_seed + static_cast<std::uint64_t>(started),
               static_cast<std::uint64_t>(started) + 1,
               draw_turns());
    ++started;
  };
  while (static_cast<std::int32_t>(slots.size()) < std::min(plan.concurrent, plan.episodes)) {
    slots.push_back(std::make_unique<Slot>(make_environment));
    start_next(*slots.back());
  }
  while (!slots.empty() && !stopping) {
    std::vector<Slot*> experts;  // Chosen before students act: an episode acts once per round.
    for (const auto& slot : slots) {
      if (!slot->needs_student()) experts.push_back(slot.get());
    }
    if (student != nullptr) LetStudentAct(slots, *student);
    for (Slot* slot : experts) slot->ActAsExpert();
    std::erase_if(slots, [&](const std::unique_ptr<Slot>& slot) {
      if (!slot->EndsAt(plan.max_steps)) return false;
      episodes.push_back(slot->Take());
      if (started >= plan.episodes) return true;
      start_next(*slot);
      return false;
    });
  }
  return episodes;
}

}  // namespace londi::learner
