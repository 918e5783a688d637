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

// Two tiny LMs in `folder`, and run.yaml, a small run with them. `rest` goes on where learner:
// ends: further keys of it, indented, and other sections.
inline void WriteTinyRun(const std::filesystem::path& folder,
                         const std::filesystem::path& golden,
                         const std::string& rest) {
  CopyTinyLm(golden / "gqa_tied", folder / "quick");
  CopyTinyLm(golden / "mha_untied", folder / "deepthink");
  WriteText(folder / "run.yaml", R"(
environment: {id: babyai/GoToRedBallGrey}
quick: {model: quick}
deepthink: {model: deepthink}
actor: {episodes: 4}
learner:
  batch_size: 32
  dqn: {width: 16, layers: 1}
  rate: {min_rows: 100}
)" + rest);
}

}  // namespace londi::testing
