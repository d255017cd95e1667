// The 128-bit hash by which Kafka Streams recognises a row in a foreign-key join (MurmurHash3 x64 128).
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace tailrace::base {

// Both halves, with the seed of org.apache.kafka.streams.state.internals.Murmur3.hash128. The algorithm is public domain.
std::array<uint64_t, 2> Murmur3Hash128(std::string_view bytes);

}  // namespace tailrace::base
