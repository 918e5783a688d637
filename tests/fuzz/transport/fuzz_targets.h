#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace londi::fuzz {

// What a socket does with a message before anybody trusts it. Runs on whole messages: header, then
// body.
struct Target {
  std::string name;                // Also the folder of its corpus: tests/fuzz/corpus/<name>.
  std::vector<std::string> seeds;  // Valid messages.
};

// One per kind of socket, named after it, and "frame" for the header alone.
const std::vector<Target>& Targets();

// Decodes `message` as the socket of `target` does. For all but "frame" the header is made right
// first, as a hostile peer would. Refusing is fine; any other exception leaves this function, and a
// decoded message that the encoder refuses or that does not survive encoding throws
// std::logic_error.
void RunTarget(std::string_view target, std::string_view message);

}  // namespace londi::fuzz
