#include "launch/shell_words.h"

#include <algorithm>
#include <cctype>

namespace londi::launch {

std::string ShellWord(std::string_view text) {
  const auto is_plain = [](unsigned char c) {
    return std::isalnum(c) ||
           std::string_view("_-+=./:,@%").find(static_cast<char>(c)) != std::string_view::npos;
  };
  if (!text.empty() && std::ranges::all_of(text, is_plain)) return std::string(text);
  std::string word = "'";
  for (const char c : text) {
    if (c == '\'') {
      word += "'\\''";
    } else {
      word += c;
    }
  }
  return word + "'";
}

std::string SetOptions(const std::vector<std::string>& sets) {
  std::string options;
  for (const std::string& set : sets) options += " --set " + ShellWord(set);
  return options;
}

}  // namespace londi::launch
