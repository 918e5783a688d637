#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <limits>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace YAML {
class Node;
}

namespace londi::configs {

// What a person is told about an option, and what values it takes.
struct About {
  std::string meaning;
  std::string unit = "";  // "rows", "steps"; empty where the meaning says it. Durations need none.
  double min = -std::numeric_limits<double>::infinity();  // Both ends included; of lists: each
  double max = std::numeric_limits<double>::infinity();   // element. Durations: seconds.
  std::vector<std::string> choices = {};                  // Of texts: the values there are.
};

// The options of a configuration, bound to the structs that hold them: a table that reads YAML
// files and `key=value` texts strictly, and prints itself. Keys are dotted, "learner.batch_size",
// which is `batch_size:` under `learner:` in the file. Values in the structs at binding time are
// the defaults.
//
//   OptionTable table;
//   table.Section("learner", "Trains the Switcher");
//   table.Add("learner.batch_size", options.batch_size, {.meaning = "Rows per update", .min = 1});
//   table.ReadFile("run.yaml");
//
// All errors are core::ConfigError and name where the value stands (file:line or "--set"), the key,
// the value and its limits; an unknown key names the nearest known one. Bound structs must outlive
// the table. Not thread-safe.
class OptionTable {
 public:
  // `printed_by`: the command that prints these options, for who misspelt one.
  explicit OptionTable(std::string printed_by = "londi config print");
  ~OptionTable();
  OptionTable(const OptionTable&) = delete;
  OptionTable& operator=(const OptionTable&) = delete;

  // Opens a section: its title in the printed list. Keys of the section begin with `name` + ".".
  void Section(std::string name, std::string meaning);

  void Add(std::string key, bool& value, About about);
  void Add(std::string key, std::int32_t& value, About about);
  void Add(std::string key, std::int64_t& value, About about);
  void Add(std::string key, std::uint64_t& value, About about);
  void Add(std::string key, float& value, About about);
  void Add(std::string key, double& value, About about);
  void Add(std::string key, std::string& value, About about);
  void Add(std::string key, std::vector<std::int32_t>& value, About about);
  void Add(std::string key, std::vector<float>& value, About about);
  void Add(std::string key, std::vector<double>& value, About about);
  void Add(std::string key, std::vector<std::string>& value, About about);
  // Relative paths are relative to the folder of the file they stand in (`--set`: to the current
  // folder); made absolute on reading. An empty text is an empty path.
  void Add(std::string key, std::filesystem::path& value, About about);
  // Written with a unit: "250us", "2ms", "90s", "20min", "2h".
  template <class Rep, class Period>
  void Add(std::string key, std::chrono::duration<Rep, Period>& value, About about) {
    using Target = std::chrono::duration<Rep, Period>;
    AddDuration(
        std::move(key),
        [&value] { return std::chrono::duration_cast<std::chrono::nanoseconds>(value); },
        [&value](std::chrono::nanoseconds read) {
          value = std::chrono::duration_cast<Target>(read);
          return std::chrono::duration_cast<std::chrono::nanoseconds>(value) == read;
        },
        std::move(about));
  }
  // An enumeration written as a text.
  template <class Enum>
  void AddEnum(std::string key,
               Enum& value,
               std::vector<std::pair<std::string, Enum>> names,
               About about) {
    for (const auto& [name, unused] : names) about.choices.push_back(name);
    AddText(
        std::move(key),
        [&value, names] {
          for (const auto& [name, each] : names) {
            if (each == value) return name;
          }
          return std::string("?");
        },
        [&value, names](const std::string& text) {
          for (const auto& [name, each] : names) {
            if (name == text) value = each;
          }
        },
        std::move(about));
  }

  // core::IoError when the file cannot be read.
  void ReadFile(const std::filesystem::path& file);
  // `text` as if it were a file named `name`; relative paths are relative to `folder`.
  void ReadText(std::string_view text,
                const std::string& name,
                const std::filesystem::path& folder);
  // "section.key=value", the value written as in the file.
  void Set(std::string_view assignment);

  // A file that ReadFile reads back to exactly these values.
  std::string ToYaml() const;
  // Every option: key, value, unit, limits, meaning; for people.
  std::string Describe() const;
  std::vector<std::string> Keys() const;
  // The option's value as written in YAML. core::ConfigError for an unknown key.
  std::string Value(std::string_view key) const;

 private:
  struct Entry;
  struct Place;

  using GetNanoseconds = std::function<std::chrono::nanoseconds()>;
  using SetNanoseconds =
      std::function<bool(std::chrono::nanoseconds)>;  // False: not representable.
  using GetText = std::function<std::string()>;
  using SetText = std::function<void(const std::string&)>;
  void AddDuration(std::string key, GetNanoseconds get, SetNanoseconds set, About about);
  void AddText(std::string key, GetText get, SetText set, About about);
  template <class T>
  void AddNumber(std::string key, T& value, About about);
  template <class T>
  void AddList(std::string key, std::vector<T>& value, About about);
  void Insert(Entry entry);

  void ReadMap(const YAML::Node& map, const std::string& prefix, const Place& place);
  const Entry* Find(std::string_view key) const;
  [[noreturn]] void ThrowUnknownKey(const std::string& key, const Place& place) const;

  const std::string printed_by_;
  std::vector<Entry> entries_;
  std::vector<std::pair<std::string, std::string>> sections_;  // Name, meaning; in order.
};

// Whether `file` has a section `name`; false also where it cannot be read, which reading it with a
// table says better.
bool HasSection(const std::filesystem::path& file, const std::string& name);

}  // namespace londi::configs
