#include "events.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"

namespace tailrace::differential {

EventMaker::EventMaker(Draw& draw, const std::vector<std::string>& topics, std::vector<Edge> edges)
    : draw_(draw), topics_(topics), edges_(std::move(edges)) {
  keys_ = draw.Between(1, 5);
  disorder_percent_ = draw.Of(std::vector<int>{0, 15, 40});
  step_max_ = draw.Of(std::vector<int>{1, 4, 12});
  null_percent_ = draw.Of(std::vector<int>{0, 8, 25});
  header_percent_ = draw.Of(std::vector<int>{0, 0, 30});
  edge_percent_ = edges_.empty() ? 0 : draw.Of(std::vector<int>{0, 10, 30});
}

Event EventMaker::Next() {
  if (draw_.Percent(4)) {
    Event event;
    event.wait_ms = draw_.Of(std::vector<int>{1, 10, 60, 1000});
    return event;
  }
  // Mostly at once; a record in between may have moved the time.
  if (second_.has_value() && draw_.Percent(85)) {
    Event event = Record(second_->topic, second_->key, second_->timestamp_ms);
    second_.reset();
    return event;
  }
  if (!second_.has_value() && draw_.Percent(edge_percent_)) return FirstOfEdge();
  const std::string& topic = draw_.Of(topics_);
  const int64_t timestamp_ms = Time();
  std::optional<std::string> key;
  if (!draw_.Percent(null_percent_ / 2)) key = Key();
  return Record(topic, std::move(key), timestamp_ms);
}

Event EventMaker::Record(std::string topic, std::optional<std::string> key, int64_t timestamp_ms) {
  Event event;
  event.topic = std::move(topic);
  event.key = std::move(key);
  event.timestamp_ms = timestamp_ms;
  if (!draw_.Percent(null_percent_)) event.value = absl::StrCat("v", draw_.Between(0, 9));
  if (draw_.Percent(header_percent_)) {
    event.headers.emplace_back("h", absl::StrCat(draw_.Between(0, 9)));
    if (draw_.Percent(20)) event.headers.emplace_back("empty", std::nullopt);
  }
  return event;
}

Event EventMaker::FirstOfEdge() {
  const Edge edge = draw_.Of(edges_);
  const std::string topic = draw_.Of(topics_);
  const std::string key = Key();
  // Late enough for the second one, and then on the edge.
  now_ms_ = std::max(now_ms_, edge.back);
  now_ms_ += (edge.phase - now_ms_ % edge.step + edge.step) % edge.step;
  // Half of the pairs are one beside the edge.
  const std::vector<int> beside = {0, 0, -1, 1};
  second_ = {.topic = draw_.Percent(60) ? topic : draw_.Of(topics_),
             .key = draw_.Percent(90) ? key : Key(),
             .timestamp_ms = std::max<int64_t>(0, now_ms_ - edge.back + draw_.Of(beside))};
  const int64_t first_ms = now_ms_;
  now_ms_ = std::max(now_ms_, second_->timestamp_ms);
  return Record(topic, key, first_ms);
}

int64_t EventMaker::Time() {
  if (draw_.Percent(2)) return -draw_.Between(1, 5);
  if (draw_.Percent(3)) now_ms_ += draw_.Of(std::vector<int>{50, 200, 5000});
  else now_ms_ += draw_.Between(0, step_max_);
  if (!draw_.Percent(disorder_percent_)) return now_ms_;
  return std::max<int64_t>(0, now_ms_ - draw_.Between(0, 60));
}

std::string EventMaker::Key() {
  if (draw_.Percent(2)) return draw_.Of(std::vector<std::string>{"", "\xc3\xa9", "k", "k0k"});
  return absl::StrCat("k", draw_.Between(0, keys_ - 1));
}

}  // namespace tailrace::differential
