#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace londi::launch {

// Commands that londi tells people to give, so that they can be copied into a shell.

// `text` as one word, in quotes where it needs them.
std::string ShellWord(std::string_view text);

// Every one of `sets` as an option behind a command: " --set KEY=VALUE ...".
std::string SetOptions(const std::vector<std::string>& sets);

}  // namespace londi::launch
