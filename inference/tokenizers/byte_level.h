#pragma once

#include <optional>
#include <string>
#include <string_view>

// Byte-level BPE writes every byte as one printable character (GPT-2's bytes_to_unicode): printable
// Latin-1 bytes stand for themselves, the others for U+0100, U+0101, ... in order.
namespace londi::inference {

// "Ġgo" -> " go"; nullopt when a character stands for no byte.
std::optional<std::string> FromByteLevel(std::string_view text);

// " go" -> "Ġgo"
std::string ToByteLevel(std::string_view bytes);

// True if `text` is well-formed UTF-8 (no overlong forms, no surrogates).
bool IsValidUtf8(std::string_view text);

bool IsAscii(std::string_view text);

}  // namespace londi::inference
