// How long a query may still take, and whether its caller has gone.
#pragma once

#include <cstdint>
#include <functional>
#include <utility>

#include "common/error_info.h"
#include "tailrace/base/clock.h"
#include "tailrace/base/limits.h"
#include "tailrace/base/status.h"

namespace tailrace::grpc_api {

// Thread-compatible; the clock and what `cancelled` refers to outlive it.
class Deadline {
 public:
  Deadline(const base::Clock& clock, int64_t timeout_ms, std::function<bool()> cancelled = nullptr)
      : clock_(&clock), at_ms_(clock.SteadyMs() + timeout_ms), cancelled_(std::move(cancelled)) {}

  int64_t RemainingMs() const { return at_ms_ - clock_->SteadyMs(); }

  absl::Status Check() const {
    if (cancelled_ && cancelled_()) return absl::CancelledError("the caller has gone");
    if (RemainingMs() <= 0) {
      return base::Error(base::Reaction::kRetry, absl::StatusCode::kDeadlineExceeded,
                         "the query took longer than its deadline; ask for a smaller range or more time");
    }
    return absl::OkStatus();
  }

 private:
  const base::Clock* clock_;
  int64_t at_ms_;
  std::function<bool()> cancelled_;
};

// Looks at the deadline once per kRowsPerDeadlineCheck rows.
class RowBudget {
 public:
  explicit RowBudget(const Deadline& deadline) : deadline_(deadline) {}
  // False when the visit has to stop; status() says why.
  bool Next() {
    if (++rows_ % base::limits::kRowsPerDeadlineCheck != 0) return true;
    status_ = deadline_.Check();
    return status_.ok();
  }
  const absl::Status& status() const { return status_; }
  int64_t rows() const { return rows_; }

 private:
  const Deadline& deadline_;
  int64_t rows_ = 0;
  absl::Status status_;
};

}  // namespace tailrace::grpc_api
