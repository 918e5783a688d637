#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "actors/envs/babyai/level.h"

namespace londi::actors::babyai {

// GLAM's five kinds of missions. kMixed: the episode's seed chooses one of the other five.
enum class MixedKind : std::uint8_t { kGoTo, kPickup, kOpen, kPutNext, kSequence, kMixed };

// "goto", "pickup", "open", "putnext", "sequence", "mixed"; throws core::ConfigError naming them.
MixedKind ParseMixedKind(std::string_view name);

// Train leaves out the missions that name a held-out pair (yellow box, red key, red door, green
// ball, grey door); test has these pairs only. kBoth: the episode's seed chooses one of the two.
enum class MixedSplit : std::uint8_t { kTrain, kTest, kBoth };

struct MixedOptions {
  MixedSplit split = MixedSplit::kTrain;
  MixedKind kind = MixedKind::kMixed;
  // GLAM 8, BALROG 0; goto and pickup have one more, putnext and sequence two. 0 to 12.
  int num_distractors = 8;
  void Validate() const;  // Throws core::ConfigError.
};

// GLAM's BabyAI-MixedTrainLocal and BabyAI-MixedTestLocal (Carta et al. 2023, arXiv:2302.02662)
// with Minigrid 3.2.0's rules and random stream.
//   layout    one 8x8 room; kind open: two in a row, a locked door between them, its key in the
//   agent's room, which
//             also gets the distractors; there the agent is placed last and never in the locked
//             room
//   goto      go to the C T              pickup    pick up the C T
//   open      open the [C] door (train: colour named in one of two; yellow, green, blue, purple.
//   test: red, grey, named) putnext   put the C T next to the C T sequence  pick up A, then go to B
//   |  go to B after you pick up A
// The two objects of a mission look different, unless several objects look like that (then put next
// is rejected). Everything is drawn anew, with the stream continued, while an object is out of
// reach or the split forbids the mission's words; and, as in every BabyAI level, from the very
// start while put next is solved or ambiguous.
//
// Decisions where GLAM leaves no choice to copy:
// - GLAM draws the kind from OS entropy when the environment is made. Here it is an option; kMixed
// draws it from
//   default_rng([seed, kMixedKindStream]), apart from the level's own stream, so that a mixed
//   episode equals the episode of its kind with the same seed.
// - GLAM builds the rooms once before drawing the mission and once more at the start of each try.
// Both consume
//   numbers in the two-room kind; both are kept.
LevelChooser MixedLevel(const MixedOptions& options);

// Likewise for kBoth: an episode equals the one of its split with the same seed.
inline constexpr std::uint32_t kMixedKindStream = 5, kMixedSplitStream = 6;

}  // namespace londi::actors::babyai
