// Generated posts as a source, with or without their truth.
#pragma once

#include <memory>
#include <optional>

#include "tailrace/ingest/post_generator.h"
#include "tailrace/ingest/truth.h"

namespace tailrace::ingest {

// Not thread-safe.
class PostSource : public RecordSource {
 public:
  // With `truth_window_ms` the truth of all accepted posts is kept. REQUIRES: CheckPostOptions(options) is OK.
  PostSource(const PostOptions& options, std::optional<int64_t> truth_window_ms) : generator_(options) {
    if (truth_window_ms) truth_.emplace(*truth_window_ms);
  }

  const GeneratedRecord& Next() override {
    generator_.Next(post_);
    return post_;
  }
  void Accepted() override {
    if (truth_) truth_->Add(post_);
  }

  // Null when it is not kept.
  const Truth* truth() const { return truth_ ? &*truth_ : nullptr; }
  const PostGenerator& generator() const { return generator_; }

 private:
  PostGenerator generator_;
  GeneratedPost post_;
  std::optional<Truth> truth_;
};

}  // namespace tailrace::ingest
