#pragma once

#include <cstdint>
#include <span>

namespace londi::transport {

// CRC-32C (Castagnoli, reflected polynomial 0x82f63b78, as in iSCSI, RFC 3720 appendix B.4). `crc`
// continues an earlier result. Uses the CPU's instructions: its own for this sum, and wide products
// for 256 bytes and more (AVX-512).
std::uint32_t Crc32c(std::span<const std::byte> bytes, std::uint32_t crc = 0);

// Of each of crcs.size() blocks of equal size that `blocks` consists of, without its first
// `skipped` bytes. Where wide products are not used, several times as fast as one after the other.
void Crc32cOfEach(std::span<const std::byte> blocks,
                  std::size_t skipped,
                  std::span<std::uint32_t> crcs);

// The table-driven form for CPUs without it; the same function.
std::uint32_t Crc32cPortable(std::span<const std::byte> bytes, std::uint32_t crc = 0);

}  // namespace londi::transport
