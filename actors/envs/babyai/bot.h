#pragma once

#include <memory>

#include "actors/envs/babyai/babyai_environment.h"
#include "core/environment.h"

namespace londi::actors::babyai {

// The scripted expert of BabyAI. It knows the mission and the true contents of the cells it has
// seen so far, keeps a stack of subgoals and searches paths on the map. Its advice equals that of
// Minigrid's own bot, step for step, also when the executed actions are not the advised ones.
//
// Order of calls: environment.Reset, Reset, Advise(""), then one Advise(executed action) after each
// environment step. Advise throws core::Error before the first Reset and for a text that is no
// action; an empty previous action after the first call means that the advice was followed.
//
// It gives up, for the rest of the episode, where the original would raise or never return: the
// subgoal at hand has become impossible (a box was opened, a needed object destroyed, no free cell
// to drop something on), the plan is done although the episode goes on, or one call needs more work
// than the limit.
//
// Uses `environment`, which must outlive it, without changing it; same thread.
// Source: minigrid 3.2.0, utils/baby_ai_bot.py (after Chevalier-Boisvert et al. 2019,
// arXiv:1810.08272).
std::unique_ptr<core::Expert> MakeBot(const BabyAiEnvironment& environment);

}  // namespace londi::actors::babyai
