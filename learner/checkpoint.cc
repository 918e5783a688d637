#include "learner/checkpoint.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <span>
#include <sstream>

#include "core/no_room.h"
#include "learner/array_file.h"
#include "transport/crc32c.h"

namespace londi::learner {
namespace {

using Json = nlohmann::json;

constexpr int kFormat = 1;
constexpr const char* kArraysFile = "arrays.safetensors";
constexpr const char* kStateFile = "state.json";
constexpr const char* kLatestFile = "LATEST";
constexpr const char* kLeaves = "replay.leaves";
constexpr const char* kPrefix = "checkpoint-";
constexpr const char* kUnfinished = ".tmp";  // Being written.
constexpr const char* kAside = ".old";       // Made room for a new one of its number.

[[noreturn]] void Fail(const std::filesystem::path& path, const std::string& doing, int error) {
  core::ThrowIoError(error,
                     "cannot " + doing + " " + path.string(),
                     "check the run folder's permissions and free disk space");
}

[[noreturn]] void FailCrc(const std::filesystem::path& path) {
  throw core::IoError({.what = "cannot use " + path.string(),
                       .why = "its checksum does not fit",
                       .fix = "restore it from a copy"});
}

std::uint32_t Crc(const std::string& bytes) {
  return transport::Crc32c(std::as_bytes(std::span(bytes.data(), bytes.size())));
}

void WriteFile(const std::filesystem::path& path, const std::string& bytes) {
  const int fd = open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  if (fd < 0) Fail(path, "create", errno);
  std::size_t done = 0;
  while (done < bytes.size()) {
    const ssize_t wrote = write(fd, bytes.data() + done, bytes.size() - done);
    if (wrote < 0 && errno != EINTR) {
      const int error = errno;
      close(fd);
      Fail(path, "write", error);
    }
    if (wrote > 0) done += static_cast<std::size_t>(wrote);
  }
  const bool synced = fsync(fd) == 0;
  const int error = errno;
  close(fd);
  if (!synced) Fail(path, "write", error);
}

void MakeFolder(const std::filesystem::path& path) {
  std::error_code error;
  std::filesystem::create_directories(path, error);
  if (error) Fail(path, "make the folder", error.value());
}

void SyncFolder(const std::filesystem::path& path) {
  const int fd = open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return;
  (void)fsync(fd);  // Some file systems refuse it for folders; the files themselves are safe.
  close(fd);
}

void Rename(const std::filesystem::path& from, const std::filesystem::path& to) {
  std::error_code error;
  std::filesystem::rename(from, to, error);
  if (error) Fail(to, "rename", error.value());
}

// A folder with all that is in it; none there is fine.
void Remove(const std::filesystem::path& path) {
  std::error_code error;
  std::filesystem::remove_all(path, error);
  if (error) Fail(path, "remove", error.value());
}

std::string ReadFile(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) Fail(path, "open", errno);
  std::ostringstream bytes;
  bytes << file.rdbuf();
  return std::move(bytes).str();
}

std::string ConfigHash(const std::vector<std::string>& config) {
  std::uint64_t hash = 0xcbf29ce484222325ULL;  // FNV-1a
  for (const std::string& line : config) {
    for (const char c : line + '\n')
      hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3ULL;
  }
  char text[17];
  std::snprintf(text, sizeof(text), "%016llx", static_cast<unsigned long long>(hash));
  return text;
}

Json ToJson(const Checkpoint& c) {
  Json marks = Json::array();
  for (const auto& [stream, through] : c.watermarks) {
    marks.push_back({stream.actor.value, stream.incarnation.value, through.value});
  }
  Json segments = Json::array();
  for (const auto& segment : c.segments)
    segments.push_back({segment.file, segment.first_row, segment.rows});
  return {{"format", kFormat},
          {"updates", c.updates},
          {"sampled", c.sampled},
          {"weights", c.weights.value},
          {"random", c.random},
          {"replay_end", c.replay.end},
          {"replay_rows", c.replay.leaves.size()},
          {"replay_max_leaf", c.replay.max_leaf},
          {"architecture", c.algorithm.architecture},
          {"counters", c.algorithm.counters},
          {"num_features", c.num_features},
          {"watermarks", std::move(marks)},
          {"segments", std::move(segments)},
          {"config_hash", ConfigHash(c.config)},
          {"config", c.config}};
}

Checkpoint FromJson(const Json& json) {
  Checkpoint c;
  c.updates = json.at("updates");
  c.sampled = json.at("sampled");
  c.weights = core::WeightsVersion(json.at("weights").get<std::int64_t>());
  c.random = json.at("random").get<Random::State>();
  c.replay.end = json.at("replay_end");
  c.replay.max_leaf = json.at("replay_max_leaf");
  c.algorithm.architecture = json.at("architecture");
  c.algorithm.counters = json.at("counters").get<std::map<std::string, std::int64_t>>();
  c.num_features = json.at("num_features");
  for (const Json& mark : json.at("watermarks")) {
    c.watermarks.push_back({{core::ActorId(mark.at(0).get<std::int64_t>()),
                             core::Incarnation(mark.at(1).get<std::int64_t>())},
                            core::Sequence(mark.at(2).get<std::int64_t>())});
  }
  for (const Json& segment : json.at("segments"))
    c.segments.push_back({segment.at(0), segment.at(1), segment.at(2)});
  c.config = json.at("config").get<std::vector<std::string>>();
  return c;
}

// The state of a checkpoint folder without its arrays. Throws when it is torn.
Json ReadState(const std::filesystem::path& folder) {
  const Json file = Json::parse(ReadFile(folder / kStateFile));
  const Json& state = file.at("state");
  if (file.at("state_crc") != Crc(state.dump())) FailCrc(folder / kStateFile);
  return file;
}

Checkpoint Read(const std::filesystem::path& folder) {
  const Json file = ReadState(folder);
  const std::string bytes = ReadFile(folder / kArraysFile);
  if (file.at("arrays_crc") != Crc(bytes)) FailCrc(folder / kArraysFile);
  Checkpoint checkpoint = FromJson(file.at("state"));
  for (core::NamedArray& array : DecodeArrays(bytes)) {
    if (array.name == kLeaves) {
      checkpoint.replay.leaves = std::move(array.values);
    } else {
      checkpoint.algorithm.arrays.push_back(std::move(array));
    }
  }
  return checkpoint;
}

// All folders of checkpoints, unfinished and replaced ones included.
std::vector<std::filesystem::path> ListAll(const std::filesystem::path& folder) {
  std::vector<std::filesystem::path> folders;
  std::error_code missing;
  for (const auto& entry : std::filesystem::directory_iterator(folder, missing)) {
    if (entry.path().filename().string().starts_with(kPrefix)) folders.push_back(entry.path());
  }
  return folders;
}

// Whether it is what a kill has left over: not finished, or replaced already. One that stepped
// aside and was not replaced still counts.
bool IsLeftover(const std::filesystem::path& folder) {
  if (folder.extension() == kUnfinished) return true;
  std::filesystem::path successor = folder;
  return folder.extension() == kAside && std::filesystem::exists(successor.replace_extension());
}

// Newest first.
std::vector<std::filesystem::path> ListUsable(const std::filesystem::path& folder) {
  std::vector<std::filesystem::path> folders = ListAll(folder);
  std::erase_if(folders, IsLeftover);
  std::sort(folders.rbegin(), folders.rend());  // Numbers have leading zeros.
  return folders;
}

CheckpointSummary Summarize(const std::filesystem::path& folder) {
  CheckpointSummary summary{.folder = folder};
  try {
    for (const auto& file : std::filesystem::directory_iterator(folder)) {
      summary.bytes += file.file_size();
    }
    Checkpoint checkpoint = Read(folder);
    summary.updates = checkpoint.updates;
    summary.weights = checkpoint.weights;
    summary.architecture = std::move(checkpoint.algorithm.architecture);
    for (const core::NamedArray& array : checkpoint.algorithm.arrays) {
      summary.parameters += std::ssize(array.values);
    }
    summary.replay_rows = std::ssize(checkpoint.replay.leaves);
    summary.replay_end = checkpoint.replay.end;
    summary.config = std::move(checkpoint.config);
  } catch (const core::Error& error) {
    summary.problem = error.text().what + ": " + error.text().why;
  } catch (const std::exception& error) {  // Json's.
    summary.problem = error.what();
  }
  return summary;
}

}  // namespace

CheckpointStore::CheckpointStore(std::filesystem::path folder, int keep, monitor::Logger logger)
    : folder_(std::move(folder)), keep_(keep), logger_(std::move(logger)) {
  MakeFolder(folder_);
  if (access(folder_.c_str(), W_OK) != 0) Fail(folder_, "write to", errno);
}

void CheckpointStore::Write(const Checkpoint& checkpoint) {
  char name[40];
  std::snprintf(
      name, sizeof(name), "%s%012lld", kPrefix, static_cast<long long>(checkpoint.updates));
  const std::filesystem::path folder = folder_ / name;
  const std::filesystem::path unfinished = folder.string() + kUnfinished;
  const std::filesystem::path aside = folder.string() + kAside;
  for (const auto& each : ListAll(folder_)) {
    if (IsLeftover(each)) Remove(each);
  }
  MakeFolder(unfinished);

  std::vector<core::NamedArray> arrays = checkpoint.algorithm.arrays;
  arrays.push_back({kLeaves,
                    {static_cast<std::int64_t>(checkpoint.replay.leaves.size())},
                    checkpoint.replay.leaves});
  const std::string bytes = EncodeArrays(arrays);
  Json state = ToJson(checkpoint);
  const std::uint32_t state_crc = Crc(state.dump());
  const Json file = {
      {"arrays_crc", Crc(bytes)}, {"state_crc", state_crc}, {"state", std::move(state)}};
  try {
    WriteFile(unfinished / kArraysFile, bytes);
    WriteFile(unfinished / kStateFile, file.dump(1));
  } catch (const core::IoError&) {
    std::error_code ignored;
    std::filesystem::remove_all(unfinished, ignored);  // What it got of the last room.
    throw;
  }
  SyncFolder(unfinished);
  if (std::filesystem::exists(folder)) Rename(folder, aside);  // By an earlier life.
  Rename(unfinished, folder);
  WriteFile(folder_ / "LATEST.tmp", std::string(name) + "\n");
  Rename(folder_ / "LATEST.tmp", folder_ / kLatestFile);
  SyncFolder(folder_);
  Remove(aside);

  const auto all = ListUsable(folder_);
  for (std::size_t i = static_cast<std::size_t>(keep_); i < all.size(); ++i) Remove(all[i]);
}

std::optional<Checkpoint> CheckpointStore::ReadLatest() const {
  // LATEST is for people and scripts; a torn newest folder must fall back anyhow, so the names
  // decide.
  const auto all = ListUsable(folder_);
  std::string last_reason;
  for (const auto& folder : all) {
    try {
      return Read(folder);
    } catch (const std::exception& error) {  // Json and core::Error alike: this one is not whole.
      last_reason = error.what();
      logger_->warn(
          "checkpoint {} cannot be used, trying the one before: {}", folder.string(), last_reason);
    }
  }
  if (all.empty()) return std::nullopt;
  throw core::ModelError(
      {.what = "none of the " + std::to_string(all.size()) + " checkpoints in " + folder_.string() +
               " can be read",
       .why = last_reason,
       .fix = "restore one from a copy, or move them away to train anew from the transition log"});
}

std::optional<std::int64_t> CheckpointStore::OldestRowNeeded() const {
  std::optional<std::int64_t> oldest;
  for (const auto& folder : ListUsable(folder_)) {
    try {
      const Json file = ReadState(folder);
      const std::int64_t first = file.at("state").at("replay_end").get<std::int64_t>() -
                                 file.at("state").at("replay_rows").get<std::int64_t>();
      oldest = std::min(oldest.value_or(first), first);
    } catch (const std::exception&) {
      continue;  // A torn one needs nothing: it is never restored.
    }
  }
  return oldest;
}

std::vector<CheckpointSummary> InspectCheckpoints(const std::filesystem::path& folder) {
  std::vector<CheckpointSummary> summaries;
  for (const auto& each : ListUsable(folder)) summaries.push_back(Summarize(each));
  return summaries;
}

std::vector<std::string> ConfigDifferences(const std::vector<std::string>& before,
                                           const std::vector<std::string>& now) {
  const auto parse = [](const std::vector<std::string>& lines) {
    std::map<std::string, std::string> values;
    for (const std::string& line : lines) {
      const std::size_t equals = line.find(" = ");
      values[line.substr(0, equals)] = equals == std::string::npos ? "" : line.substr(equals + 3);
    }
    return values;
  };
  const auto was = parse(before);
  const auto is = parse(now);
  std::vector<std::string> differences;
  for (const auto& [key, value] : was) {
    const auto found = is.find(key);
    const std::string other = found == is.end() ? "(absent)" : found->second;
    if (other != value) differences.push_back(key + ": " + value + " -> " + other);
  }
  for (const auto& [key, value] : is) {
    if (!was.contains(key)) differences.push_back(key + ": (absent) -> " + value);
  }
  return differences;
}

}  // namespace londi::learner
