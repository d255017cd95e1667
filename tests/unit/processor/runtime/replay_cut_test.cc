// Goal: the stream time that divides a replay is as late as it may be and as early as it must be, and what is read from there
// gives every open window all of its records.
// Method: CutReplay is pure; the rule is checked against its definition for windows around it.
#include "replay/cut.h"

#include <gtest/gtest.h>

namespace tailrace::processor {
namespace {

constexpr int64_t kHour = 3'600'000;
constexpr int64_t kNow = 1'790'000'000'000;
constexpr ReplayWindows kFive{.store = {}, .size_ms = 300'000, .grace_ms = 600'000};
constexpr ReplayWindows kShort{.store = {}, .size_ms = 20'000, .grace_ms = 10'000};

ReplayInput Input(int64_t end, int64_t committed, int64_t processed_ms) {
  return {.partition = {"posts", base::Partition(0)}, .range = {base::Offset(0), base::Offset(end)}, .committed = base::Offset(committed),
          .processed_ms = processed_ms};
}

class Cut {
 public:
  explicit Cut(std::vector<ReplayWindows> windows) : windows_(std::move(windows)) {}
  absl::StatusOr<ReplayCut> operator()(int64_t from_ms, std::vector<ReplayInput> inputs, int64_t live_ms = kNow) {
    notices.clear();
    return CutReplay(from_ms, windows_, inputs, live_ms, notices);
  }
  std::vector<std::string> notices;

 private:
  const std::vector<ReplayWindows> windows_;
};

TEST(ReplayCut, DividesBehindTheSmallestGrace) {
  Cut cut({kFive, kShort});
  const auto result = cut(kNow - kHour, {Input(100, 100, kNow)});
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(result->stream_time_ms, kNow - kHour + 10'000);
  EXPECT_EQ(result->read_from_ms, kNow - kHour + 10'000 - 900'000 + 1);
  EXPECT_TRUE(cut.notices.empty());
}

TEST(ReplayCut, EveryWindowThatEndsAfterFromIsOpenAndReadWhole) {
  for (const ReplayWindows& windows : {kFive, kShort}) {
    const int64_t from_ms = kNow - kHour;
    const auto result = Cut({windows})(from_ms, {Input(100, 100, kNow)});
    ASSERT_TRUE(result.ok());
    for (int64_t start = from_ms - 1'000'000; start < from_ms + 1'000; start += 500) {
      const bool closed = IsClosedAt(windows, start, result->stream_time_ms);
      EXPECT_EQ(closed, start + windows.size_ms <= result->stream_time_ms - windows.grace_ms);
      if (start + windows.size_ms > from_ms) {
        EXPECT_FALSE(closed) << start;
      }
      if (!closed) {
        EXPECT_GE(start, result->read_from_ms);
      }
    }
    // The windows around the border, exactly.
    const int64_t border = result->stream_time_ms - windows.grace_ms - windows.size_ms;
    EXPECT_TRUE(IsClosedAt(windows, border, result->stream_time_ms));
    EXPECT_FALSE(IsClosedAt(windows, border + 1, result->stream_time_ms));
    EXPECT_EQ(border + 1, result->read_from_ms);
  }
}

TEST(ReplayCut, IsNotLaterThanWhatWasProcessed) {
  Cut cut({kFive});
  // A minute ago plus grace lies ahead of the live application: its windows are still open there.
  EXPECT_EQ(cut(kNow - 60'000, {Input(100, 100, kNow - 5'000)})->stream_time_ms, kNow - 5'000);
  EXPECT_EQ(cut(kNow - kHour, {Input(100, 90, kNow - 2 * kHour)})->stream_time_ms, kNow - 2 * kHour);
  EXPECT_EQ(cut(kNow - kHour, {Input(100, 100, kNow), Input(100, 90, kNow - 2 * kHour)})->stream_time_ms, kNow - 2 * kHour);
}

TEST(ReplayCut, APartitionWithoutNewsDoesNotHoldItBack) {
  Cut cut({kFive});
  EXPECT_EQ(cut(kNow - kHour, {Input(100, 100, kNow), Input(100, 100, kNow - 48 * kHour)})->stream_time_ms, kNow - kHour + 600'000);
  EXPECT_EQ(cut(kNow - kHour, {Input(0, -1, -1)})->stream_time_ms, kNow - kHour + 600'000);
  // But one in whose windows there may be something to rebuild does.
  EXPECT_EQ(cut(kNow - kHour, {Input(100, 100, kNow), Input(100, 100, kNow - kHour - 100'000)})->stream_time_ms, kNow - kHour - 100'000);
}

TEST(ReplayCut, WhatWasNeverProcessedIsAnError) {
  const auto result = Cut({kFive})(kNow - kHour, {Input(100, -1, -1)});
  EXPECT_EQ(result.status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_NE(result.status().message().find("posts-0"), absl::string_view::npos) << result.status();
}

TEST(ReplayCut, WhereTheLogBeginsLaterOlderWindowsAreCopied) {
  Cut cut({kFive});
  ReplayInput input = Input(100, 100, kNow);
  input.range.begin = base::Offset(40);
  input.begin_ms = kNow - kHour;
  const auto result = cut(kNow - 5 * kHour, {input});
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(result->read_from_ms, kNow - kHour + 1);
  EXPECT_EQ(result->stream_time_ms, kNow - kHour + 900'000);
  ASSERT_EQ(cut.notices.size(), 1u);
  EXPECT_NE(cut.notices[0].find("posts-0 begins at 2026-"), std::string::npos) << cut.notices[0];

  // Nothing is said where the log reaches back far enough.
  EXPECT_EQ(cut(kNow - 600'000, {input})->stream_time_ms, kNow);
  EXPECT_TRUE(cut.notices.empty());

  // Windows that are open now would be cut.
  input.begin_ms = kNow - 100'000;
  EXPECT_EQ(cut(kNow - kHour, {input}).status().code(), absl::StatusCode::kFailedPrecondition);
  input.range.begin = input.range.end;
  EXPECT_EQ(cut(kNow - kHour, {input}).status().code(), absl::StatusCode::kFailedPrecondition);
}

TEST(ReplayCut, YearsOfGraceReadFromTheBeginning) {
  const ReplayWindows days{.store = {}, .size_ms = 86'400'000, .grace_ms = int64_t{30'000} * 86'400'000};
  const auto result = Cut({days})(kNow - kHour, {Input(100, 100, kNow)});
  ASSERT_TRUE(result.ok());
  EXPECT_EQ(result->stream_time_ms, kNow);
  EXPECT_EQ(result->read_from_ms, 0);
}

}  // namespace
}  // namespace tailrace::processor
