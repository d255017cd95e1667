// Memory of the write-back cache: blocks that are reused between windows, and bump allocation inside them.
//
// Not thread-safe: one pool per task, used by the task's thread. Arenas and tables outlive no pool.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace tailrace::state {

// Power-of-two blocks from 512 bytes up, kept on free lists so that the next window starts on memory that is already
// mapped. What is kept is bounded by Trim.
class BlockPool {
 public:
  static constexpr size_t kBlockBytesMin = 512;

  BlockPool() = default;
  BlockPool(const BlockPool&) = delete;
  BlockPool& operator=(const BlockPool&) = delete;
  ~BlockPool();

  // A block of the smallest power of two >= `bytes`; its true size is stored in `bytes`.
  char* Take(size_t& bytes);
  // `bytes` as Take returned it.
  void Give(char* block, size_t bytes);
  // Frees kept blocks, largest first, until used + kept <= `bytes_max` or none is kept.
  void Trim(size_t bytes_max);

  size_t used_bytes() const { return used_bytes_; }
  size_t kept_bytes() const { return kept_bytes_; }

 private:
  static constexpr size_t kClasses = 40;
  std::array<std::vector<char*>, kClasses> free_;
  size_t used_bytes_ = 0;
  size_t kept_bytes_ = 0;
};

// Bump allocation. Allocations up to kAddressableBytesMax can be named by a 32-bit reference, so that a hash slot with a
// 32-bit hash takes 8 bytes.
class Arena {
 public:
  static constexpr size_t kUnit = 16;
  static constexpr size_t kChunkBytesMax = size_t{1} << 20;
  static constexpr size_t kAddressableBytesMax = kChunkBytesMax - kUnit;

  explicit Arena(BlockPool* pool) : pool_(pool) {}
  Arena(const Arena&) = delete;
  Arena& operator=(const Arena&) = delete;
  ~Arena() { Clear(); }

  // 16-byte aligned memory with a reference, never 0. REQUIRES: bytes <= kAddressableBytesMax.
  std::pair<char*, uint32_t> AllocateAddressable(size_t bytes);
  char* Resolve(uint32_t reference) const { return chunks_[reference >> 16].data + (reference & 0xffff) * kUnit; }

  // 8-byte aligned memory of any size.
  char* Allocate(size_t bytes) {
    bytes = (bytes + 7) & ~size_t{7};
    if (bytes <= static_cast<size_t>(end_ - next_)) [[likely]] {
      char* result = next_;
      next_ += bytes;
      return result;
    }
    return AllocateSlow(bytes);
  }

  // Gives all memory back to the pool.
  void Clear();
  // Forgets all allocations but keeps the last (largest) chunk.
  void Rewind();

  size_t bytes() const { return bytes_; }

 private:
  struct Chunk {
    char* data;
    size_t bytes;
  };
  char* AllocateSlow(size_t bytes);
  void NewChunk(size_t at_least);

  BlockPool* const pool_;
  std::vector<Chunk> chunks_;
  std::vector<Chunk> large_;  // values that do not fit a chunk
  char* next_ = nullptr;
  char* end_ = nullptr;
  size_t bytes_ = 0;
};

}  // namespace tailrace::state
