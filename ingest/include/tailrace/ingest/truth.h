// What a stream of generated posts must add up to, from the generator's own facts: no JSON is parsed and nothing of the
// engine is used, so a test can compare the two.
//
//   {"seed":1,"records":1000,"start_ms":...,"end_ms":...,"window_ms":300000,
//    "kinds":{"original":550,"retweet":250,"quote":50,"reply":150},"late":10,"malformed":1,"without_city":30,
//    "windows":[{"city":"Toronto, Ontario","window":{"start":"2026-01-01T00:00:00Z","end":"2026-01-01T00:05:00Z"},
//                "posts":120,"retweets":30,"active_users":80}, ...]}   by window, then city in the order of its bytes
#pragma once

#include <array>
#include <cstdint>
#include <iosfwd>
#include <map>
#include <unordered_set>
#include <utility>

#include "tailrace/base/status.h"
#include "tailrace/ingest/post_generator.h"

namespace tailrace::ingest {

// Not thread-safe. Memory grows with the distinct (city, window, author): at most limits::kTruthRecordsMax records.
class Truth {
 public:
  // REQUIRES: window_ms > 0.
  explicit Truth(int64_t window_ms) : window_ms_(window_ms) {}

  // kinds, late, without_city and windows count well-formed posts only; records and malformed count what they say.
  void Add(const GeneratedPost& post);

  // `end_ms` is the event time of the record that would follow.
  void WriteJson(const SourceOptions& source, int64_t end_ms, std::ostream& out) const;

  struct CityWindow {
    int64_t posts = 0;
    int64_t retweets = 0;
    std::unordered_set<uint32_t> authors;
  };
  // By (window start, city).
  const std::map<std::pair<int64_t, uint32_t>, CityWindow>& windows() const { return windows_; }
  int64_t records() const { return records_; }

 private:
  const int64_t window_ms_;
  int64_t records_ = 0;
  int64_t late_ = 0;
  int64_t malformed_ = 0;
  int64_t without_city_ = 0;
  std::array<int64_t, kPostKindCount> kinds_{};
  std::map<std::pair<int64_t, uint32_t>, CityWindow> windows_;
};

// Writes the truth to a file, whole or not at all.
absl::Status WriteTruth(const Truth& truth, const SourceOptions& source, int64_t end_ms, const std::string& file);

}  // namespace tailrace::ingest
