#pragma once

#include <string>
#include <vector>

#include "actors/envs/babyai/world.h"

namespace londi::actors::babyai {

// BabyAI-Text's description of what is seen, one sentence per element, no full stops:
//   You carry a {colour} {type}
//   You see a wall {n} step[s] forward|left|right            at most one per direction, in this
//   order You see a [open |closed |locked ]{colour} {type} {where}   by column left to right, far
//   to near
// The article is always "a", also before "open": GLAM's code never reaches its "an" branch.
// Source: GLAM (Carta et al. 2023, arXiv:2302.02662), gen_graph of its gym-minigrid fork.
//   carried  what the agent holds, nullptr: nothing
std::vector<std::string> DescribeView(const View& view, const WorldObject* carried);

}  // namespace londi::actors::babyai
