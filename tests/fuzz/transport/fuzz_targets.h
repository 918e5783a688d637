#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace londi::fuzz {

// What a socket does with a message before anybody trusts it, or what messages do to the state
// behind it. Runs on whole messages: header, then body; for the states on several, each behind the
// number of its bytes (16 bits, little-endian).
struct Target {
  std::string name;                // Also the folder of its corpus: tests/fuzz/corpus/<name>.
  std::vector<std::string> seeds;  // Valid ones.
};

// One per kind of socket that takes more than a header, named after it; "frame" for the header
// alone, which is also all that a publisher of weights takes; "registry.members" and
// "transitions.rows" for the states (fuzz_states.h).
const std::vector<Target>& Targets();

// Decodes `bytes` as the socket of `target` does. For all but "frame" the header is made right
// first, as a hostile peer would. Refusing is fine; any other exception leaves this function: a
// decoded message that the encoder refuses or that does not survive encoding throws
// std::logic_error, as does a broken state.
void RunTarget(std::string_view target, std::string_view bytes);

}  // namespace londi::fuzz
