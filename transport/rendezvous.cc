#include "transport/rendezvous.h"

#include <unistd.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <random>
#include <thread>

#include "core/error.h"

namespace londi::transport {
namespace {

using nlohmann::json;

std::optional<json> ReadJson(const std::filesystem::path& file) {
  std::ifstream in(file);
  if (!in) return std::nullopt;
  json parsed = json::parse(in, nullptr, false);
  if (!parsed.is_object()) return std::nullopt;
  return parsed;
}

// The file is complete or absent at any moment, also for readers on other machines.
void ReplaceJson(const std::filesystem::path& file, const json& content) {
  const std::filesystem::path temporary = file.string() + ".tmp." + std::to_string(getpid());
  std::error_code error;
  if (file.has_parent_path()) std::filesystem::create_directories(file.parent_path(), error);
  std::ofstream out(temporary);
  out << content.dump(2) << '\n';
  out.close();
  if (out) std::filesystem::rename(temporary, file, error);
  if (out && !error) return;
  throw core::IoError({.what = "cannot write " + file.string(),
                       .why = error ? error.message() + "." : "the file system refused the data.",
                       .fix = "check the folder's permissions and the free disk space"});
}

std::optional<std::int64_t> GetInt(const json& object, const char* key) {
  const auto found = object.find(key);
  if (found == object.end() || !found->is_number_integer()) return std::nullopt;
  return found->get<std::int64_t>();
}

core::RunId RandomRunId() {
  std::random_device entropy;
  const std::uint64_t bits = (std::uint64_t{entropy()} << 32) | entropy();
  return core::RunId(static_cast<std::int64_t>(bits >> 1) | 1);  // Positive, never 0.
}

}  // namespace

void WriteRendezvous(const std::filesystem::path& file, const Rendezvous& rendezvous) {
  ReplaceJson(file,
              {{"endpoint", rendezvous.endpoint},
               {"run", rendezvous.run.value},
               {"epoch", rendezvous.epoch.value}});
}

std::optional<Rendezvous> ReadRendezvous(const std::filesystem::path& file) {
  const std::optional<json> parsed = ReadJson(file);
  if (!parsed || !parsed->contains("endpoint") || !parsed->at("endpoint").is_string())
    return std::nullopt;
  const auto run = GetInt(*parsed, "run");
  const auto epoch = GetInt(*parsed, "epoch");
  if (!run || !epoch) return std::nullopt;
  return Rendezvous{
      parsed->at("endpoint").get<std::string>(), core::RunId(*run), core::Epoch(*epoch)};
}

Rendezvous WaitForRendezvous(const std::filesystem::path& file, core::TimePoint deadline) {
  constexpr std::chrono::milliseconds kPoll{50};
  while (true) {
    if (auto rendezvous = ReadRendezvous(file)) return *rendezvous;
    if (std::chrono::steady_clock::now() + kPoll > deadline) break;
    std::this_thread::sleep_for(kPoll);
  }
  throw core::UnavailableError(
      {.what = "no coordinator was found",
       .why = file.string() + " did not appear in time.",
       .fix = "start the coordinator of this run folder, or look at its log"});
}

CoordinatorState BeginEpoch(const std::filesystem::path& file) {
  CoordinatorState state{RandomRunId(), core::Epoch(1)};
  if (std::filesystem::exists(file)) {
    const std::optional<json> parsed = ReadJson(file);
    const auto run = parsed ? GetInt(*parsed, "run") : std::nullopt;
    const auto epoch = parsed ? GetInt(*parsed, "epoch") : std::nullopt;
    if (!run || !epoch) {
      throw core::IoError({.what = "cannot use the coordinator's state " + file.string(),
                           .why = "it is not the JSON object that a coordinator writes.",
                           .fix = "restore it from a copy of the run folder, or begin a new run"});
    }
    state = {core::RunId(*run), core::Epoch(*epoch + 1)};
  }
  ReplaceJson(file, {{"run", state.run.value}, {"epoch", state.epoch.value}});
  return state;
}

}  // namespace londi::transport
