#include "arena.h"

#include <algorithm>
#include <bit>
#include <cstdlib>
#include <new>

#include "tailrace/base/check.h"

namespace tailrace::state {

BlockPool::~BlockPool() {
  TAILRACE_CHECK(used_bytes_ == 0, "cache blocks outlive their pool");
  Trim(0);
}

char* BlockPool::Take(size_t& bytes) {
  bytes = std::bit_ceil(std::max(bytes, kBlockBytesMin));
  const auto size_class = static_cast<size_t>(std::countr_zero(bytes));
  TAILRACE_CHECK(size_class < kClasses, "cache block too large");
  used_bytes_ += bytes;
  auto& list = free_[size_class];
  if (!list.empty()) {
    char* block = list.back();
    list.pop_back();
    kept_bytes_ -= bytes;
    return block;
  }
  return static_cast<char*>(::operator new(bytes));
}

void BlockPool::Give(char* block, size_t bytes) {
  TAILRACE_CHECK(std::has_single_bit(bytes) && bytes <= used_bytes_, "not a block of this pool");
  used_bytes_ -= bytes;
  kept_bytes_ += bytes;
  free_[static_cast<size_t>(std::countr_zero(bytes))].push_back(block);
}

void BlockPool::Trim(size_t bytes_max) {
  for (size_t size_class = kClasses; size_class-- > 0;) {
    auto& list = free_[size_class];
    while (!list.empty() && used_bytes_ + kept_bytes_ > bytes_max) {
      ::operator delete(list.back());
      list.pop_back();
      kept_bytes_ -= size_t{1} << size_class;
    }
  }
}

std::pair<char*, uint32_t> Arena::AllocateAddressable(size_t bytes) {
  TAILRACE_CHECK(bytes <= kAddressableBytesMax, "too large for one chunk");
  auto aligned = [this] {
    return reinterpret_cast<char*>((reinterpret_cast<uintptr_t>(next_) + kUnit - 1) & ~uintptr_t{kUnit - 1});
  };
  char* result = aligned();
  if (next_ == nullptr || result > end_ || static_cast<size_t>(end_ - result) < bytes) {
    NewChunk(bytes);
    result = aligned();
  }
  next_ = result + ((bytes + 7) & ~size_t{7});
  next_ = std::min(next_, end_);
  const Chunk& chunk = chunks_.back();
  const auto unit = static_cast<size_t>(result - chunk.data) / kUnit;
  TAILRACE_CHECK(chunks_.size() <= 0x10000 && unit <= 0xffff, "arena reference overflow");
  return {result, static_cast<uint32_t>((chunks_.size() - 1) << 16 | unit)};
}

char* Arena::AllocateSlow(size_t bytes) {
  if (bytes > kChunkBytesMax / 4) {
    size_t block_bytes = bytes;
    char* block = pool_->Take(block_bytes);
    large_.push_back({block, block_bytes});
    bytes_ += block_bytes;
    return block;
  }
  NewChunk(bytes);
  char* result = next_;
  next_ += bytes;
  return result;
}

void Arena::NewChunk(size_t at_least) {
  // Small first, so that a thousand idle windows cost little; doubling, so that a large one takes few blocks.
  const size_t previous = chunks_.empty() ? BlockPool::kBlockBytesMin : chunks_.back().bytes;
  size_t bytes = std::max(std::min(previous * 2, kChunkBytesMax), at_least + kUnit);
  char* data = pool_->Take(bytes);
  chunks_.push_back({data, bytes});
  bytes_ += bytes;
  next_ = data + kUnit;  // unit 0 stays unused: reference 0 means none
  end_ = data + bytes;
}

void Arena::Clear() {
  for (const Chunk& chunk : chunks_) pool_->Give(chunk.data, chunk.bytes);
  for (const Chunk& chunk : large_) pool_->Give(chunk.data, chunk.bytes);
  chunks_.clear();
  large_.clear();
  next_ = end_ = nullptr;
  bytes_ = 0;
}

void Arena::Rewind() {
  for (const Chunk& chunk : large_) {
    pool_->Give(chunk.data, chunk.bytes);
    bytes_ -= chunk.bytes;
  }
  large_.clear();
  while (chunks_.size() > 1) {
    bytes_ -= chunks_.front().bytes;
    pool_->Give(chunks_.front().data, chunks_.front().bytes);
    chunks_.erase(chunks_.begin());
  }
  if (!chunks_.empty()) next_ = chunks_.back().data + kUnit;
}

}  // namespace tailrace::state
