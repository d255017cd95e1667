// Posts that come once more, as sources send them after a reconnect or a refresh: the same post, its counters a little further or,
// when an older copy comes late, a little behind.
#pragma once

#include <array>
#include <cstdint>
#include <string>

#include "tailrace/base/random.h"
#include "tailrace/ingest/post_generator.h"

namespace tailrace::ingest {

// Draws from numbers of its own, so that the posts between are the same whatever the rate. Not thread-safe.
class Redeliveries {
 public:
  // `rate`: share of all posts. With 0 nothing is kept or drawn.
  Redeliveries(double rate, uint64_t seed) : rate_(rate), random_(seed ^ 0x7265646c76727900) {}

  // Whether the next post is one of the last kPosts again: then fills `post`, received at `now_ms`.
  bool Draw(GeneratedPost& post, int64_t now_ms);
  // A post that may come again. Malformed ones do not.
  void Remember(const GeneratedPost& post);

 private:
  static constexpr size_t kPosts = 512;

  const double rate_;
  base::Random random_;
  std::array<GeneratedPost, kPosts> posts_;  // a ring
  size_t remembered_ = 0;
  std::string rewritten_;
};

}  // namespace tailrace::ingest
