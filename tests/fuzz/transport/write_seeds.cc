// fuzz_seeds FOLDER: writes the valid messages of every target to FOLDER/<target>/valid-<n>.
#include <filesystem>
#include <fstream>
#include <iostream>

#include "tests/fuzz/transport/fuzz_targets.h"

int main(int argc, char** argv) {
  if (argc != 2) {
    std::cerr << "usage: fuzz_seeds FOLDER\n";
    return 2;
  }
  for (const londi::fuzz::Target& target : londi::fuzz::Targets()) {
    const std::filesystem::path folder = std::filesystem::path(argv[1]) / target.name;
    std::filesystem::create_directories(folder);
    for (std::size_t i = 0; i < target.seeds.size(); ++i) {
      std::ofstream(folder / ("valid-" + std::to_string(i)), std::ios::binary) << target.seeds[i];
    }
  }
  return 0;
}
