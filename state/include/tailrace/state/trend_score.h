// Scores by which a key's windows rank at query time: how steeply its count rises, or how much of it is recent.
//
// A key's series is what a tumbling window store has of it: windows by start, with gaps where the key did not occur.
//   slope: (f2 - f1) / (p2 - p1) between two consecutive windows that are there, with p counted in windows; it belongs to the
//          later of the two. A gap therefore makes a rise flatter. A key with one window has no slope.
//   decay: the sum of count * 0.5^(age / half-life), where a window's age runs from its start; windows of the future have age 0.
//
// The accumulators take windows one by one, so that a scan by window start can hold one for each key. They allocate nothing.
// Not thread-safe.
//
//   SlopeScore slope(3'600'000);
//   view->Fetch("trends", "earthquake", from_ms, to_ms, [&](const Row& row) { slope.Add(row.window_start_ms, CountOf(row)); return true; });
//   if (slope.score()) Rank("earthquake", *slope.score(), slope.start_ms());
#pragma once

#include <cstdint>
#include <optional>

namespace tailrace::state {

class SlopeScore {
 public:
  // `period_ms`: the size of the store's windows. REQUIRES: period_ms > 0.
  explicit SlopeScore(int64_t period_ms);

  // REQUIRES: starts grow from call to call. (CHECKed: the caller scans in that order.)
  void Add(int64_t start_ms, double count);

  // The slope of the newest window; nullopt before there are two.
  std::optional<double> score() const { return score_; }
  // The start of the newest window: what the score is credited to. REQUIRES: something was added.
  int64_t start_ms() const { return last_->start_ms; }

 private:
  struct Window {
    int64_t start_ms = 0;
    double count = 0;
  };

  int64_t period_ms_;
  std::optional<Window> last_;
  std::optional<double> score_;
};

class DecayScore {
 public:
  // Ages are counted back from `as_of_ms`. REQUIRES: half_life_ms > 0.
  DecayScore(int64_t as_of_ms, int64_t half_life_ms);

  // In any order.
  void Add(int64_t start_ms, double count);

  double score() const { return score_; }

 private:
  int64_t as_of_ms_;
  double half_life_ms_;
  double score_ = 0;
};

}  // namespace tailrace::state
