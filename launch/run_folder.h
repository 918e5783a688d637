#pragma once

#include <filesystem>
#include <optional>
#include <string>

namespace londi::launch {

// Where everything of a run lies; docs for users are in README.md.
struct RunFolder {
  std::filesystem::path path;

  std::filesystem::path config() const { return path / "config.yaml"; }     // Resolved.
  std::filesystem::path logs() const { return path / "logs"; }              // One file per role.
  std::filesystem::path events() const { return path / "events.jsonl"; }    // The diary.
  std::filesystem::path metrics() const { return path / "metrics.jsonl"; }  // All roles.
  std::filesystem::path progress() const { return path / "progress.json"; }
  std::filesystem::path trained() const { return path / "trained.json"; }  // Time and work so far.
  std::filesystem::path transitions() const { return path / "transitions"; }  // Segment log.
  std::filesystem::path spool() const { return path / "spool"; }  // Rows of actors on their way.
  std::filesystem::path checkpoints() const { return path / "checkpoints"; }
  std::filesystem::path evaluation() const { return path / "evaluation.json"; }
  std::filesystem::path report() const { return path / "report.md"; }
  std::filesystem::path rendezvous() const { return path / "rendezvous.json"; }
  std::filesystem::path keys() const { return path / "keys.json"; }        // Secret: mode 0600.
  std::filesystem::path members() const { return path / "members.json"; }  // MemberHealth.
  std::filesystem::path coordinator_state() const { return path / "coordinator.json"; }
  std::filesystem::path lock() const { return path / "lock"; }
};

// Makes <parent>/<name>-<date>-<time> with its sub-folders, and a second one of the same second
// with a number behind it. Throws core::IoError naming the folder that refuses.
RunFolder CreateRunFolder(const std::filesystem::path& parent, const std::string& name);

// An existing run. Throws core::IoError when `path` is none (no config.yaml) or is not writable.
RunFolder OpenRunFolder(const std::filesystem::path& path);

// `path`, where it is a run; else the newest run in it, for folders are named by date; nullopt: no
// run is there.
std::optional<RunFolder> FindRun(const std::filesystem::path& path);

// Held by the process that drives a run, so that no two train in one folder. Released by the
// kernel when the process ends, however it ends.
class RunLock {
 public:
  // Throws core::IoError when another process holds it and has not ended within five seconds: one
  // that was killed just now holds it until it is gone.
  explicit RunLock(const RunFolder& folder);
  ~RunLock();
  RunLock(const RunLock&) = delete;
  RunLock& operator=(const RunLock&) = delete;

 private:
  int fd_;
};

// Replaces `file` by `text` at once: readers see the old or the new, never a part. Throws
// core::IoError.
void WriteFileAtomically(const std::filesystem::path& file, const std::string& text);

}  // namespace londi::launch
