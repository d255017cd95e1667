#include "gateway/linear_fit.h"

#include <algorithm>
#include <cmath>

namespace tailrace::grpc_api {

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
  constexpr int64_t kPairsMin = 3;
  if (count_ < kPairsMin || !(xx_ > 0) || !(yy_ > 0)) return std::nullopt;
  Line line;
  line.slope = xy_ / xx_;
  line.intercept = mean_y_ - line.slope * mean_x_;
  line.correlation = std::clamp(xy_ / std::sqrt(xx_ * yy_), -1.0, 1.0);
  line.r_squared = line.correlation * line.correlation;
  return line;
}

}  // namespace tailrace::grpc_api
