#pragma once

#include <filesystem>
#include <fstream>
#include <iterator>
#include <regex>
#include <string>

namespace londi::testing {

inline std::string ReadText(const std::filesystem::path& file) {
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

inline void WriteText(const std::filesystem::path& file, const std::string& text) {
  std::ofstream(file, std::ios::binary) << text;
}

// A copy of a golden LM (random weights, tests/golden/inference/models) that reads prompts of whole
// episodes: their number of positions is no tensor, so it may be raised.
inline void CopyTinyLm(const std::filesystem::path& golden, const std::filesystem::path& folder) {
  std::filesystem::create_directories(folder);
  for (const char* file : {"config.json", "tokenizer.json", "model.safetensors"}) {
    std::filesystem::copy_file(golden / file, folder / file);
  }
  const std::regex positions("\"max_position_embeddings\": [0-9]+");
  WriteText(folder / "config.json",
            std::regex_replace(
                ReadText(folder / "config.json"), positions, "\"max_position_embeddings\": 65536"));
}

}  // namespace londi::testing
