// The ids of the last posts of a stream, to tell what it repeats after it was resumed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <string_view>
#include <unordered_set>

namespace tailrace::ingest {

// Remembers hashes of 64 bits: of a million posts one in tens of billions is taken for a repetition. Not thread-safe.
class SeenPosts {
 public:
  explicit SeenPosts(size_t max) : max_(max) {}
  // True when the id was not seen among the last `max`.
  bool IsNew(std::string_view id) {
    const uint64_t hash = std::hash<std::string_view>()(id);
    if (!seen_.insert(hash).second) return false;
    order_.push_back(hash);
    if (order_.size() > max_) {
      seen_.erase(order_.front());
      order_.pop_front();
    }
    return true;
  }

 private:
  const size_t max_;
  std::unordered_set<uint64_t> seen_;
  std::deque<uint64_t> order_;
};

}  // namespace tailrace::ingest
