#include "configs/strict_yaml.h"

#include <fmt/format.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <fstream>
#include <iterator>
#include <optional>
#include <set>

#include "configs/duration_text.h"
#include "configs/nearest_name.h"
#include "core/error.h"

namespace londi::configs {

// Where a value stands.
struct OptionTable::Place {
  std::string name;  // File name or "--set".
  int line = 0;      // From 1; 0 = no lines.
  std::filesystem::path folder;

  std::string Text() const { return line > 0 ? fmt::format("{}:{}", name, line) : name; }
  Place At(const YAML::Node& node) const {
    Place place = *this;
    if (line > 0 && node.Mark().line >= 0) place.line = node.Mark().line + 1;
    return place;
  }
};

struct OptionTable::Entry {
  std::string key;
  About about;
  std::function<void(const YAML::Node&, const Entry&, const Place&)> read;
  std::function<std::string()> print;  // As YAML.
  bool is_duration = false;

  std::string Limits() const;
  [[noreturn]] void Refuse(const std::string& value,
                           const std::string& why,
                           const Place& place) const {
    throw core::ConfigError(
        {.what = fmt::format("{} is {} ({})", key, value.empty() ? "empty" : value, place.Text()),
         .why = fmt::format("{} ({})", why, about.meaning),
         .fix = Limits().empty() ? fmt::format("write for example {}: {}", key, print())
                                 : fmt::format("choose {}", Limits())});
  }
};

namespace {

std::string NumberText(double value) {
  char buffer[32];
  const auto end = std::to_chars(buffer, buffer + sizeof(buffer), value).ptr;
  return {buffer, end};
}

template <class T>
std::string ValueText(const T& value) {
  char buffer[32];
  const auto end = std::to_chars(buffer, buffer + sizeof(buffer), value).ptr;
  return {buffer, end};
}

std::string ValueText(const std::string& value) {
  YAML::Emitter out;
  out << YAML::DoubleQuoted << value;
  return out.c_str();
}

// nullopt: not a number of this type.
template <class T>
std::optional<T> ParseNumber(const std::string& text) {
  T value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::string ShownValue(const YAML::Node& node) {
  if (node.IsScalar()) return node.Scalar();
  return node.IsSequence() ? "a list" : node.IsMap() ? "a section" : "empty";
}

}  // namespace

std::string OptionTable::Entry::Limits() const {
  if (!about.choices.empty()) return fmt::format("one of {}", fmt::join(about.choices, ", "));
  const auto shown = [&](double limit) {
    return is_duration ? DurationText(std::chrono::nanoseconds(std::llround(limit * 1e9)))
                       : NumberText(limit);
  };
  const bool has_min = std::isfinite(about.min), has_max = std::isfinite(about.max);
  if (has_min && has_max) return fmt::format("{} to {}", shown(about.min), shown(about.max));
  if (has_min) return fmt::format("{} or more", shown(about.min));
  if (has_max) return fmt::format("{} or less", shown(about.max));
  return "";
}

OptionTable::OptionTable(std::string printed_by) : printed_by_(std::move(printed_by)) {}
OptionTable::~OptionTable() = default;

void OptionTable::Section(std::string name, std::string meaning) {
  sections_.emplace_back(std::move(name), std::move(meaning));
}

void OptionTable::Insert(Entry entry) { entries_.push_back(std::move(entry)); }

template <class T>
void OptionTable::AddNumber(std::string key, T& value, About about) {
  Insert({.key = std::move(key),
          .about = std::move(about),
          .read =
              [&value](const YAML::Node& node, const Entry& entry, const Place& place) {
                const auto read = node.IsScalar() ? ParseNumber<T>(node.Scalar()) : std::nullopt;
                const char* wanted =
                    std::is_integral_v<T> ? "a whole number is wanted" : "a number is wanted";
                if (!read) entry.Refuse(ShownValue(node), wanted, place);
                const double number = static_cast<double>(*read);
                if (!(number >= entry.about.min && number <= entry.about.max)) {
                  entry.Refuse(node.Scalar(), "that is out of range", place);
                }
                value = *read;
              },
          .print = [&value] { return ValueText(value); }});
}

template <class T>
void OptionTable::AddList(std::string key, std::vector<T>& value, About about) {
  Insert({.key = std::move(key),
          .about = std::move(about),
          .read =
              [&value](const YAML::Node& node, const Entry& entry, const Place& place) {
                if (!node.IsSequence()) {
                  entry.Refuse(ShownValue(node), "a list is wanted, such as [a, b]", place);
                }
                std::vector<T> read;
                for (const YAML::Node& item : node) {
                  if (!item.IsScalar())
                    entry.Refuse(ShownValue(item), "a plain value is wanted", place);
                  if constexpr (std::is_same_v<T, std::string>) {
                    const auto& choices = entry.about.choices;
                    if (!choices.empty() &&
                        std::ranges::find(choices, item.Scalar()) == choices.end()) {
                      entry.Refuse(item.Scalar(), "there is no such value", place.At(item));
                    }
                    read.push_back(item.Scalar());
                  } else {
                    const auto number = ParseNumber<T>(item.Scalar());
                    if (!number) entry.Refuse(item.Scalar(), "a number is wanted", place.At(item));
                    if (!(*number >= entry.about.min && *number <= entry.about.max)) {
                      entry.Refuse(item.Scalar(), "that is out of range", place.At(item));
                    }
                    read.push_back(*number);
                  }
                }
                value = std::move(read);
              },
          .print =
              [&value] {
                std::vector<std::string> texts;
                for (const T& each : value) texts.push_back(ValueText(each));
                return fmt::format("[{}]", fmt::join(texts, ", "));
              }});
}

void OptionTable::Add(std::string key, std::int32_t& value, About about) {
  AddNumber(std::move(key), value, std::move(about));
}
void OptionTable::Add(std::string key, std::int64_t& value, About about) {
  AddNumber(std::move(key), value, std::move(about));
}
void OptionTable::Add(std::string key, std::uint64_t& value, About about) {
  AddNumber(std::move(key), value, std::move(about));
}
void OptionTable::Add(std::string key, float& value, About about) {
  AddNumber(std::move(key), value, std::move(about));
}
void OptionTable::Add(std::string key, double& value, About about) {
  AddNumber(std::move(key), value, std::move(about));
}
void OptionTable::Add(std::string key, std::vector<std::int32_t>& value, About about) {
  AddList(std::move(key), value, std::move(about));
}
void OptionTable::Add(std::string key, std::vector<float>& value, About about) {
  AddList(std::move(key), value, std::move(about));
}
void OptionTable::Add(std::string key, std::vector<double>& value, About about) {
  AddList(std::move(key), value, std::move(about));
}
void OptionTable::Add(std::string key, std::vector<std::string>& value, About about) {
  AddList(std::move(key), value, std::move(about));
}

void OptionTable::Add(std::string key, bool& value, About about) {
  Insert({.key = std::move(key),
          .about = std::move(about),
          .read =
              [&value](const YAML::Node& node, const Entry& entry, const Place& place) {
                const std::string text = ShownValue(node);
                if (text != "true" && text != "false")
                  entry.Refuse(text, "true or false is wanted", place);
                value = text == "true";
              },
          .print = [&value] { return value ? "true" : "false"; }});
}

void OptionTable::AddText(std::string key, GetText get, SetText set, About about) {
  const bool quoted = about.choices.empty();
  Insert({.key = std::move(key),
          .about = std::move(about),
          .read =
              [set](const YAML::Node& node, const Entry& entry, const Place& place) {
                if (!node.IsScalar()) entry.Refuse(ShownValue(node), "a text is wanted", place);
                const auto& choices = entry.about.choices;
                if (!choices.empty() &&
                    std::ranges::find(choices, node.Scalar()) == choices.end()) {
                  entry.Refuse(node.Scalar(), "there is no such value", place);
                }
                set(node.Scalar());
              },
          .print = [get, quoted] { return quoted ? ValueText(get()) : get(); }});
}

void OptionTable::Add(std::string key, std::string& value, About about) {
  AddText(
      std::move(key),
      [&value] { return value; },
      [&value](const std::string& text) { value = text; },
      std::move(about));
}

void OptionTable::Add(std::string key, std::filesystem::path& value, About about) {
  Insert({.key = std::move(key),
          .about = std::move(about),
          .read =
              [&value](const YAML::Node& node, const Entry& entry, const Place& place) {
                if (!node.IsScalar()) entry.Refuse(ShownValue(node), "a path is wanted", place);
                const std::filesystem::path read = node.Scalar();
                value = read.empty() ? read : (place.folder / read).lexically_normal();
              },
          .print = [&value] { return ValueText(value.string()); }});
}

void OptionTable::AddDuration(std::string key,
                              GetNanoseconds get,
                              SetNanoseconds set,
                              About about) {
  Insert({.key = std::move(key),
          .about = std::move(about),
          .read =
              [set](const YAML::Node& node, const Entry& entry, const Place& place) {
                const auto read = node.IsScalar() ? ParseDuration(node.Scalar()) : std::nullopt;
                if (!read) {
                  entry.Refuse(ShownValue(node),
                               "a duration with its unit is wanted: us, ms, s, min or h",
                               place);
                }
                const double seconds = std::chrono::duration<double>(*read).count();
                if (seconds < entry.about.min || seconds > entry.about.max) {
                  entry.Refuse(node.Scalar(), "that is out of range", place);
                }
                if (!set(*read))
                  entry.Refuse(node.Scalar(), "that is finer than londi keeps it", place);
              },
          .print = [get] { return DurationText(get()); },
          .is_duration = true});
}

const OptionTable::Entry* OptionTable::Find(std::string_view key) const {
  const auto found = std::ranges::find(entries_, key, &Entry::key);
  return found == entries_.end() ? nullptr : &*found;
}

std::vector<std::string> OptionTable::Keys() const {
  std::vector<std::string> keys;
  for (const Entry& entry : entries_) keys.push_back(entry.key);
  return keys;
}

void OptionTable::ThrowUnknownKey(const std::string& key, const Place& place) const {
  const std::string nearest = NearestName(key, Keys());
  throw core::ConfigError(
      {.what = fmt::format("unknown key '{}' ({})", key, place.Text()),
       .why = "londi reads every key it is given, so that a misspelt one is never silently ignored",
       .fix = nearest.empty()
                  ? fmt::format("see the keys with `{}`", printed_by_)
                  : fmt::format("did you mean '{}'? All keys: `{}`", nearest, printed_by_)});
}

void OptionTable::ReadMap(const YAML::Node& map, const std::string& prefix, const Place& place) {
  std::set<std::string> seen;
  for (const auto& item : map) {
    const Place here = place.At(item.first);
    if (!item.first.IsScalar()) {
      throw core::ConfigError({.what = fmt::format("a key that is no text ({})", here.Text()),
                               .why = "keys are names such as 'batch_size'",
                               .fix = "write `name: value`"});
    }
    const std::string key = prefix + item.first.Scalar();
    if (!seen.insert(key).second) {
      throw core::ConfigError({.what = fmt::format("'{}' stands twice ({})", key, here.Text()),
                               .why = "it is unclear which of the two values counts",
                               .fix = "remove one of them"});
    }
    if (const Entry* entry = Find(key)) {
      entry->read(item.second, *entry, here);
    } else if (item.second.IsMap()) {
      ReadMap(item.second, key + ".", place);
    } else {
      ThrowUnknownKey(key, here);
    }
  }
}

void OptionTable::ReadText(std::string_view text,
                           const std::string& name,
                           const std::filesystem::path& folder) {
  const Place place{.name = name, .line = 1, .folder = folder};
  YAML::Node root;
  try {
    root = YAML::Load(std::string(text));
  } catch (const YAML::Exception& error) {
    throw core::ConfigError({.what = fmt::format("{}:{} is no YAML", name, error.mark.line + 1),
                             .why = error.msg,
                             .fix = "check indentation (spaces only), colons and quotes there"});
  }
  if (root.IsNull()) return;
  if (!root.IsMap()) {
    throw core::ConfigError(
        {.what = fmt::format("{} has no sections", name),
         .why = "a configuration is a list of `section:` with `key: value` below",
         .fix = fmt::format("start from `{} --yaml`", printed_by_)});
  }
  ReadMap(root, "", place);
}

void OptionTable::ReadFile(const std::filesystem::path& file) {
  std::ifstream in(file);
  std::string text;
  if (std::filesystem::is_regular_file(file)) text.assign(std::istreambuf_iterator<char>(in), {});
  if (!in.is_open() || in.bad() || !std::filesystem::is_regular_file(file)) {
    throw core::IoError(
        {.what = fmt::format("cannot read the configuration {}", file.string()),
         .why =
             std::filesystem::exists(file) ? "it is not a readable file" : "there is no such file",
         .fix = "give the path of a YAML file, for example configs/babyai_text.yaml"});
  }
  ReadText(text, file.string(), std::filesystem::absolute(file).parent_path());
}

void OptionTable::Set(std::string_view assignment) {
  const Place place{.name = fmt::format("--set {}", assignment),
                    .folder = std::filesystem::current_path()};
  const std::size_t equals = assignment.find('=');
  if (equals == std::string_view::npos || equals == 0) {
    throw core::ConfigError({.what = fmt::format("--set {} is not understood", assignment),
                             .why = "it lacks a key or '='",
                             .fix = "write --set section.key=value"});
  }
  const std::string key(assignment.substr(0, equals));
  const std::string value(assignment.substr(equals + 1));
  const Entry* entry = Find(key);
  if (entry == nullptr) ThrowUnknownKey(key, place);
  YAML::Node node;
  try {
    node = value.empty() ? YAML::Node(std::string()) : YAML::Load(value);
  } catch (const YAML::Exception& error) {
    entry->Refuse(value, error.msg, place);
  }
  entry->read(node, *entry, place);
}

std::string OptionTable::ToYaml() const {
  std::string yaml;
  std::vector<std::string> open;  // The sections the last key was in.
  for (const Entry& entry : entries_) {
    std::vector<std::string> parts;
    for (std::size_t from = 0; from != std::string::npos;) {
      const std::size_t dot = entry.key.find('.', from);
      parts.push_back(entry.key.substr(from, dot == std::string::npos ? dot : dot - from));
      from = dot == std::string::npos ? dot : dot + 1;
    }
    const std::string name = parts.back();
    parts.pop_back();
    const auto differs = std::ranges::mismatch(parts, open).in1;
    for (auto part = differs; part != parts.end(); ++part) {
      yaml += std::string(2 * static_cast<std::size_t>(part - parts.begin()), ' ') + *part + ":\n";
    }
    open = parts;
    yaml += fmt::format("{}{}: {}\n", std::string(2 * parts.size(), ' '), name, entry.print());
  }
  return yaml;
}

std::string OptionTable::Describe() const {
  std::string text;
  for (const auto& [section, meaning] : sections_) {
    text += fmt::format("\n{}: {}\n", section, meaning);
    for (const Entry& entry : entries_) {
      if (!entry.key.starts_with(section + ".")) continue;
      const std::string limits = entry.Limits();
      std::string value = entry.print();
      if (!entry.about.unit.empty()) value += " " + entry.about.unit;
      text += fmt::format("  {:<38} = {}\n", entry.key, value);
      text += fmt::format(
          "      {}{}\n", entry.about.meaning, limits.empty() ? "" : fmt::format(" [{}]", limits));
    }
  }
  return text;
}

std::string OptionTable::Value(std::string_view key) const {
  const Entry* entry = Find(key);
  if (entry == nullptr) ThrowUnknownKey(std::string(key), {.name = "command line"});
  return entry->print();
}

bool HasSection(const std::filesystem::path& file, const std::string& name) {
  try {
    const YAML::Node root = YAML::LoadFile(file.string());
    return root.IsMap() && root[name].IsDefined();
  } catch (const YAML::Exception&) {
    return false;
  }
}

}  // namespace londi::configs
