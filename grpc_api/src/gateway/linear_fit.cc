#include "gateway/linear_fit.h"

#include <algorithm>
#include <cmath>

namespace tailrace::grpc_api {
namespace {

constexpr int64_t kPairsMin = 3;

}  // namespace

void LinearFit::Add(double x, double y) {
  ++count_;
  const double dx = x - mean_x_, dy = y - mean_y_;
  mean_x_ += dx / static_cast<double>(count_);
  mean_y_ += dy / static_cast<double>(count_);
  xx_ += dx * (x - mean_x_);
  yy_ += dy * (y - mean_y_);
  xy_ += dx * (y - mean_y_);
}

std::optional<LinearFit::Line> LinearFit::line() const {
  if (count_ < kPairsMin || !(xx_ > 0) || !(yy_ > 0)) return std::nullopt;
  Line line;
  line.slope = xy_ / xx_;
  line.intercept = mean_y_ - line.slope * mean_x_;
  line.correlation = std::clamp(xy_ / std::sqrt(xx_ * yy_), -1.0, 1.0);
  line.r_squared = line.correlation * line.correlation;
  return line;
}

std::optional<HeldOut> PredictHeldOut(std::span<const DatedPair> pairs) {
  size_t split = pairs.size() * 3 / 4;
  while (split > 0 && split < pairs.size() && pairs[split].date == pairs[split - 1].date) ++split;
  LinearFit fit;
  for (const DatedPair& pair : pairs.first(split)) fit.Add(pair.x, pair.y);
  const std::optional<LinearFit::Line> line = fit.line();
  HeldOut held_out{.pairs = static_cast<int64_t>(pairs.size() - split)};
  if (!line || held_out.pairs < kPairsMin) return std::nullopt;
  double missed = 0;     // squares of what the line was off by
  double variation = 0;  // the same for the mean of the earlier pairs
  for (const DatedPair& pair : pairs.subspan(split)) {
    missed += std::pow(pair.y - (line->intercept + line->slope * pair.x), 2);
    variation += std::pow(pair.y - fit.mean_y(), 2);
  }
  if (!(variation > 0)) return std::nullopt;
  held_out.r_squared = 1 - missed / variation;
  return held_out;
}

}  // namespace tailrace::grpc_api
