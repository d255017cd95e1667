// A straight line through pairs of numbers, and how much of the one it explains by the other.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>

namespace tailrace::grpc_api {

// Takes pairs one by one, by Welford's method: sums of squares of large numbers would lose what is asked for. Not
// thread-safe.
class LinearFit {
 public:
  void Add(double x, double y);
  int64_t count() const { return count_; }
  double mean_y() const { return mean_y_; }

  struct Line {
    double correlation = 0;  // Pearson's r
    double slope = 0;        // y = intercept + slope * x
    double intercept = 0;
    double r_squared = 0;    // the share of y's variance that the line explains
  };
  // nullopt with fewer than three pairs (two always lie on a line), or when x or y never changes.
  std::optional<Line> line() const;

 private:
  int64_t count_ = 0;
  double mean_x_ = 0;
  double mean_y_ = 0;
  double xx_ = 0;  // sums of products of deviations from the means
  double yy_ = 0;
  double xy_ = 0;
};

// One pair, and the day it is of as text that sorts by time.
struct DatedPair {
  std::string date;
  double x = 0;
  double y = 0;
};

// How well a line predicts: fitted to the earlier three quarters of the pairs, tried on the rest, which it has not seen. A day is
// never on both sides.
struct HeldOut {
  int64_t pairs = 0;     // that were predicted
  double r_squared = 0;  // 1: perfectly; 0: no better than the mean of the earlier pairs; below: worse
};
// `pairs` sorted by date. nullopt when there is no line through the earlier pairs, or less than three pairs or no variation to predict.
std::optional<HeldOut> PredictHeldOut(std::span<const DatedPair> pairs);

}  // namespace tailrace::grpc_api
