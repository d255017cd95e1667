#include "redelivery.h"

#include <algorithm>
#include <charconv>

#include "tailrace/base/check.h"
#include "tailrace/base/json_text.h"

namespace tailrace::ingest {
namespace {

// Copies `json` to `out` up to and with the member's name and colon, and takes the number behind it off. Quotes inside of texts are
// escaped, so a member's name is found only where it is one.
int64_t TakeNumber(std::string_view& json, std::string_view member, std::string& out) {
  const size_t at = json.find(member);
  TAILRACE_CHECK(at != std::string_view::npos, "a generated post has all its counters");
  out += json.substr(0, at + member.size());
  json.remove_prefix(at + member.size());
  int64_t number = 0;
  const auto [end, error] = std::from_chars(json.data(), json.data() + json.size(), number);
  TAILRACE_CHECK(error == std::errc(), "counters are numbers");
  json.remove_prefix(static_cast<size_t>(end - json.data()));
  return number;
}

}  // namespace

void Redeliveries::Remember(const GeneratedPost& post) {
  if (rate_ == 0 || post.malformed) return;
  posts_[remembered_ % kPosts] = post;
  ++remembered_;
}

bool Redeliveries::Draw(GeneratedPost& post, int64_t now_ms) {
  if (rate_ == 0 || !random_.Chance(rate_) || remembered_ == 0) return false;
  GeneratedPost& again = posts_[random_.Below(std::min(remembered_, kPosts))];
  rewritten_.clear();
  std::string_view rest = again.value;
  for (const std::string_view member : {",\"retweet_count\":", ",\"favorite_count\":"}) {
    constexpr int64_t kBehind = 2;
    constexpr uint64_t kReach = 8;
    const int64_t before = TakeNumber(rest, member, rewritten_);
    base::AppendJsonInt(rewritten_, std::max<int64_t>(before - kBehind + static_cast<int64_t>(random_.Below(kReach)), 0));
  }
  TakeNumber(rest, ",\"received_at\":", rewritten_);
  base::AppendJsonInt(rewritten_, now_ms);
  rewritten_ += rest;
  again.value = rewritten_;
  post = again;
  post.late = post.timestamp_ms < now_ms;
  return true;
}

}  // namespace tailrace::ingest
