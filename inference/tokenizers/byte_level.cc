#include "inference/tokenizers/byte_level.h"

#include <utf8proc.h>

#include <algorithm>
#include <array>
#include <cstdint>

namespace londi::inference {
namespace {

constexpr int kLastCharacter = 0x143;  // 256 bytes, 68 of them moved to U+0100 and above.

bool IsPrintable(int byte) {
  return (byte >= '!' && byte <= '~') || (byte >= 0xA1 && byte <= 0xAC) ||
         (byte >= 0xAE && byte <= 0xFF);
}

// Character -> byte, -1 where there is none.
std::array<int, kLastCharacter + 1> MakeTable() {
  std::array<int, kLastCharacter + 1> table{};
  table.fill(-1);
  int next = 0x100;
  for (int byte = 0; byte < 256; ++byte) {
    table[IsPrintable(byte) ? byte : next++] = byte;
  }
  return table;
}

// The code point at the front of `text` and its length; length < 1: malformed.
std::pair<std::int32_t, utf8proc_ssize_t> FirstCharacter(std::string_view text) {
  utf8proc_int32_t character = 0;
  const auto length = utf8proc_iterate(reinterpret_cast<const utf8proc_uint8_t*>(text.data()),
                                       static_cast<utf8proc_ssize_t>(text.size()),
                                       &character);
  return {character, length};
}

}  // namespace

std::optional<std::string> FromByteLevel(std::string_view text) {
  static const auto kBytes = MakeTable();
  std::string bytes;
  while (!text.empty()) {
    const auto [character, length] = FirstCharacter(text);
    if (length < 1 || character > kLastCharacter || kBytes[character] < 0) return std::nullopt;
    bytes.push_back(static_cast<char>(kBytes[character]));
    text.remove_prefix(static_cast<std::size_t>(length));
  }
  return bytes;
}

std::string ToByteLevel(std::string_view bytes) {
  static const auto kCharacters = [] {
    std::array<int, 256> characters{};
    const auto bytes_of = MakeTable();
    for (int character = 0; character <= kLastCharacter; ++character) {
      if (bytes_of[character] >= 0) characters[bytes_of[character]] = character;
    }
    return characters;
  }();
  std::string text;
  for (const char byte : bytes) {
    utf8proc_uint8_t encoded[4];
    const auto length =
        utf8proc_encode_char(kCharacters[static_cast<unsigned char>(byte)], encoded);
    text.append(reinterpret_cast<const char*>(encoded), static_cast<std::size_t>(length));
  }
  return text;
}

bool IsAscii(std::string_view text) {
  return std::all_of(
      text.begin(), text.end(), [](char c) { return static_cast<signed char>(c) >= 0; });
}

bool IsValidUtf8(std::string_view text) {
  while (!text.empty()) {
    if (static_cast<signed char>(text.front()) >= 0) {
      text.remove_prefix(1);
      continue;
    }
    const auto [character, length] = FirstCharacter(text);
    if (length < 1) return false;
    text.remove_prefix(static_cast<std::size_t>(length));
  }
  return true;
}

}  // namespace londi::inference
