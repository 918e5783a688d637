#include "learner/finetune/rollouts.h"

#include <algorithm>
#include <limits>
#include <memory>
#include <string>
#include <utility>
#include <variant>

#include "core/error.h"
#include "core/prompt.h"
#include "learner/replay/random.h"

namespace londi::learner {
namespace {

// Who acts in an episode's step.
enum class Role : std::uint8_t { kTeacher, kStudent, kPartner };

// `beginner` acts the first `steps`, then the teacher.
struct Turns {
  Role beginner = Role::kTeacher;
  std::int32_t steps = 0;
  bool label_beginner = true;  // Its steps are labelled, too.
};

// One of the concurrent episodes.
class Slot {
 public:
  // With `asks_expert` the environment's expert is the teacher, and must be there.
  Slot(const ExpertFactory& make_environment, bool asks_expert)
      : parts_(make_environment()), asks_expert_(asks_expert) {
    if (asks_expert && parts_.expert == nullptr) {
      throw core::ConfigError(
          {.what = "the environment has no expert",
           .why = "an LM is taught by one that knows the right actions",
           .fix = "choose an environment with an expert, e.g. babyai/MixedTrain, or name an LM as "
                  "examples.teacher"});
    }
  }

  void Start(std::uint64_t seed, std::uint64_t session, const Turns& turns) {
    const core::Observation first = parts_.environment->Reset(seed);
    transcript_ = core::Transcript(first);
    actions_ = parts_.environment->AdmissibleActions();
    episode_ = {.kind = parts_.environment->Kind(), .by_student = turns.steps > 0};
    turns_ = turns;
    session_ = session;
    last_action_.clear();
    advice_.clear();
    gave_up_ = false;
    active_ = true;
    if (asks_expert_) parts_.expert->Reset();
    AskExpert();
  }

  bool active() const { return active_; }
  bool IsNext(Role role) const {
    return active_ &&
           role == (episode_.num_steps < turns_.steps ? turns_.beginner : Role::kTeacher);
  }
  bool NeedsAdvice() const {
    return active_ && advice_.empty() && (IsNext(Role::kTeacher) || turns_.label_beginner);
  }

  core::LmRequest Request() const {
    return {.prompt = transcript_.prompt(),
            .candidates = core::Transcript::Candidates(actions_),
            .terminator = std::string(core::Transcript::kTerminator),
            .session = session_};
  }

  void Advise(std::int32_t action) { advice_ = actions_[static_cast<std::size_t>(action)]; }
  void ActAsBeginner(std::int32_t action) {
    const std::string chosen = actions_[static_cast<std::size_t>(action)];
    Act(chosen, turns_.label_beginner);
  }
  void ActAsTeacher() {
    if (gave_up_) {
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
    if (!asks_expert_ || gave_up_) return;
    advice_ = parts_.expert->Advise(last_action_);
    gave_up_ = advice_.empty();
  }

  void Act(const std::string& action, bool labelled) {
    if (labelled && !gave_up_) {
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
    advice_.clear();
    AskExpert();
  }

  core::EnvironmentWithExpert parts_;
  const bool asks_expert_;
  core::Transcript transcript_;
  std::vector<std::string> actions_;
  LabelledEpisode episode_;
  std::string text_;
  std::string advice_;  // The teacher's action in this step; empty: not asked.
  std::string last_action_;
  std::uint64_t session_ = 0;
  Turns turns_;
  bool gave_up_ = false;  // The environment's expert, for this episode.
  bool active_ = false;
};

using Slots = std::vector<std::unique_ptr<Slot>>;

// The greedy actions of `lm` for those of `slots` that are chosen, in one forward pass.
void Ask(inference::LmScorer& lm,
         const std::vector<Slot*>& slots,
         void (Slot::*use)(std::int32_t action)) {
  if (slots.empty()) return;
  std::vector<inference::PreparedRequest> requests;
  for (const Slot* slot : slots) {
    auto prepared = lm.Prepare(slot->Request());
    if (const auto* error = std::get_if<core::ErrorText>(&prepared)) throw core::Error(*error);
    requests.push_back(std::move(std::get<inference::PreparedRequest>(prepared)));
  }
  const std::vector<core::Proposal> proposals = lm.Score(requests);
  for (std::size_t i = 0; i < slots.size(); ++i) (slots[i]->*use)(proposals[i].action);
}

template <typename Predicate>
std::vector<Slot*> Where(const Slots& slots, Predicate holds) {
  std::vector<Slot*> chosen;
  for (const auto& slot : slots) {
    if (holds(*slot)) chosen.push_back(slot.get());
  }
  return chosen;
}

// Every active episode takes one step.
void StepAll(const Slots& slots, const RolloutLms& lms) {
  if (lms.teacher != nullptr)
    Ask(*lms.teacher, Where(slots, [](const Slot& s) { return s.NeedsAdvice(); }), &Slot::Advise);
  // Chosen before any acts: an episode acts once.
  const auto next = [&](Role role) {
    return Where(slots, [role](const Slot& slot) { return slot.IsNext(role); });
  };
  const auto students = next(Role::kStudent);
  const auto partners = next(Role::kPartner);
  const auto teachers = next(Role::kTeacher);
  if (lms.student != nullptr) Ask(*lms.student, students, &Slot::ActAsBeginner);
  if (lms.partner != nullptr) Ask(*lms.partner, partners, &Slot::ActAsBeginner);
  for (Slot* slot : teachers) slot->ActAsTeacher();
}

Turns DrawTurns(const RolloutPlan& plan, bool has_student, Random& random) {
  if (!has_student || random.Uniform() >= plan.student_share) return {};
  Turns turns{.beginner = Role::kStudent, .steps = std::numeric_limits<std::int32_t>::max()};
  if (plan.partner_share > 0 && random.Uniform() < plan.partner_share)
    turns.beginner = Role::kPartner;
  if (plan.corrections == Corrections::kTakeover) {
    turns.steps = random.Integer(1, plan.takeover_steps);
    turns.label_beginner = false;
  }
  return turns;
}

}  // namespace

std::vector<LabelledEpisode> RunRollouts(const ExpertFactory& make_environment,
                                         const RolloutLms& lms,
                                         const RolloutPlan& plan,
                                         const std::atomic<bool>& stopping) {
  Random random(plan.draw_seed);
  std::vector<LabelledEpisode> episodes;
  Slots slots;
  std::int32_t started = 0;
  const auto start_next = [&](Slot& slot) {
    slot.Start(plan.first_seed + static_cast<std::uint64_t>(started),
               static_cast<std::uint64_t>(started) + 1,
               DrawTurns(plan, lms.student != nullptr, random));
    ++started;
  };
  while (static_cast<std::int32_t>(slots.size()) < std::min(plan.concurrent, plan.episodes)) {
    slots.push_back(std::make_unique<Slot>(make_environment, lms.teacher == nullptr));
    start_next(*slots.back());
  }
  while (!slots.empty() && !stopping) {
    StepAll(slots, lms);
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
