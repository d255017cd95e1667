#include "punctuations.h"

#include <utility>

namespace tailrace::processor {

std::unique_ptr<detail::PunctuationHandle> Punctuations::Add(Punctuation punctuation) {
  struct Handle : detail::PunctuationHandle {
    explicit Handle(std::shared_ptr<Punctuation> p) : punctuation(std::move(p)) {}
    void Cancel() override { punctuation->cancelled = true; }
    std::shared_ptr<Punctuation> punctuation;  // shared with the queue: either may go first
  };
  auto shared = std::make_shared<Punctuation>(std::move(punctuation));
  QueueOf(shared->type).Push(shared);
  return std::make_unique<Handle>(std::move(shared));
}

std::shared_ptr<Punctuation> Punctuations::TakeDue(detail::PunctuationType type, int64_t now_ms) {
  Queue& queue = QueueOf(type);
  while (!queue.empty() && queue.top()->next_ms <= now_ms) {
    std::shared_ptr<Punctuation> first = queue.Pop();
    if (!first->cancelled) return first;
  }
  return nullptr;
}

void Punctuations::PutBack(std::shared_ptr<Punctuation> punctuation, int64_t now_ms) {
  if (punctuation->cancelled) return;
  const int64_t missed = (now_ms - punctuation->next_ms) / punctuation->interval_ms;
  punctuation->next_ms += (missed + 1) * punctuation->interval_ms;
  QueueOf(punctuation->type).Push(std::move(punctuation));
}

void Punctuations::clear() {
  by_stream_time_.clear();
  by_wall_clock_.clear();
}

}  // namespace tailrace::processor
