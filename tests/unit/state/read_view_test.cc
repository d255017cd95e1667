// Goal: a view shows one commit, whole and unchanged, from any thread, even after its task is gone.
#include <atomic>
#include <thread>

#include "support.h"

namespace tailrace::state {
namespace {

class ReadViewTest : public BothBackends {};
TEST_BOTH_BACKENDS(ReadViewTest);

TEST_P(ReadViewTest, ShowsTheCommitAndNothingLater) {
  auto task = OpenTask(Options({KeyValueSpec("kv"), WindowSpec("w", 10, 1'000)}, Directory()));
  const auto empty = task->CurrentView();
  EXPECT_EQ(empty->stream_time_ms(), -1);
  EXPECT_EQ(empty->changelog_offset("kv"), base::kOffsetUnknown);
  EXPECT_OK(task->key_value("kv").Put("k", std::string_view("1"), 11));
  EXPECT_OK(task->window("w").Put("k", 20, std::string_view("1"), 21));
  EXPECT_FALSE(ValueOrDie(task->CurrentView()->Get("kv", "k")).has_value()) << "uncommitted";
  EXPECT_OK(FlushAndCommit(*task, 7, 21));
  const auto first = task->CurrentView();
  EXPECT_OK(task->key_value("kv").Put("k", std::string_view("2"), 12));
  EXPECT_OK(task->key_value("kv").Put("l", std::string_view("2"), 12));
  EXPECT_OK(task->window("w").Put("k", 20, {}, 22));
  EXPECT_OK(FlushAndCommit(*task, 8, 22));
  const auto second = task->CurrentView();

  for (int pass = 0; pass < 2; ++pass) {
    EXPECT_FALSE(ValueOrDie(empty->Get("kv", "k")).has_value());
    EXPECT_EQ(ValueOrDie(first->Get("kv", "k"))->value, "1");
    EXPECT_EQ(ValueOrDie(first->Get("kv", "k"))->timestamp_ms, 11);
    EXPECT_EQ(ValueOrDie(first->GetWindow("w", "k", 20))->value, "1");
    EXPECT_EQ(first->position(), (Position{{{"input", base::Partition(1)}, base::Offset(7)}}));
    EXPECT_EQ(first->stream_time_ms(), 21);
    EXPECT_EQ(first->changelog_offset("w"), base::Offset(7));
    EXPECT_EQ(ValueOrDie(second->Get("kv", "k"))->value, "2");
    EXPECT_FALSE(ValueOrDie(second->GetWindow("w", "k", 20)).has_value());
    EXPECT_EQ(second->changelog_offset("w"), base::Offset(8));
    Rows rows;
    EXPECT_OK(first->Range("kv", std::nullopt, std::nullopt, std::nullopt, Into(rows)));
    EXPECT_EQ(rows.size(), 1u);
    task.reset();  // views stay readable after their task
  }
}

TEST_P(ReadViewTest, PagesContinueAfterTheCursor) {
  auto task = OpenTask(Options({KeyValueSpec("kv"), WindowSpec("w", 10, 1'000)}, Directory()));
  for (int i = 0; i < 30; ++i) {
    const std::string key(1, static_cast<char>('a' + i % 10));
    EXPECT_OK(task->window("w").Put(key, 10 * (i / 10), std::string_view("v"), i));
    EXPECT_OK(task->key_value("kv").Put(std::to_string(i), std::string_view("v"), i));
  }
  EXPECT_OK(FlushAndCommit(*task, 1, 30));
  const auto view = task->CurrentView();
  Rows all;
  EXPECT_OK(view->FetchAll("w", 0, 20, std::nullopt, Into(all)));
  ASSERT_EQ(all.size(), 30u);
  for (size_t at = 0; at < all.size(); ++at) {
    Rows rest;
    EXPECT_OK(view->FetchAll("w", 0, 20, ReadView::WindowCursor{std::get<0>(all[at]), std::get<1>(all[at])}, Into(rest)));
    EXPECT_EQ(rest, Rows(all.begin() + static_cast<ptrdiff_t>(at) + 1, all.end()));
  }
  // A cursor before the range does not widen it.
  Rows late;
  EXPECT_OK(view->FetchAll("w", 20, 20, ReadView::WindowCursor{0, "c"}, Into(late)));
  EXPECT_EQ(late.size(), 10u);
  Rows keys;
  EXPECT_OK(view->Range("kv", std::nullopt, std::nullopt, std::nullopt, Into(keys)));
  for (size_t at = 0; at < keys.size(); ++at) {
    Rows rest;
    EXPECT_OK(view->Range("kv", "0", "9", std::get<1>(keys[at]), Into(rest)));
    EXPECT_EQ(rest, Rows(keys.begin() + static_cast<ptrdiff_t>(at) + 1, keys.end()));
  }
  Rows windows;
  EXPECT_OK(view->FetchRange("w", "c", 10, 20, Into(windows)));
  EXPECT_EQ(windows, (Rows{{10, "c", "v", 12}, {20, "c", "v", 22}}));
}

TEST_P(ReadViewTest, AnUnknownStoreIsNotFoundAndNamed) {
  auto task = OpenTask(Options({KeyValueSpec("kv"), WindowSpec("w", 10, 1'000)}, Directory()));
  const absl::Status status = task->CurrentView()->Get("nope", "k").status();
  EXPECT_EQ(status.code(), absl::StatusCode::kNotFound);
  EXPECT_NE(status.message().find("kv"), std::string::npos) << status;
  EXPECT_EQ(task->CurrentView()->Get("w", "k").status().code(), absl::StatusCode::kNotFound);
}

// The writer keeps the sum over all keys at zero in every commit; a reader that saw half a commit would find another sum.
TEST_P(ReadViewTest, ReadersOnOtherThreadsSeeWholeCommits) {
  auto task = OpenTask(Options({KeyValueSpec("kv"), WindowSpec("w", 10, 1'000)}, Directory()));
  std::atomic<bool> done{false};
  std::atomic<int> reads{0};
  std::vector<std::thread> readers;
  for (int r = 0; r < 2; ++r) {
    readers.emplace_back([&] {
      base::Offset last = base::kOffsetUnknown;
      while (!done.load()) {
        const auto view = task->CurrentView();
        EXPECT_GE(view->changelog_offset("kv"), last);
        last = view->changelog_offset("kv");
        int64_t sum = 0;
        auto add = [&](const Row& row) {
          sum += std::stoll(std::string(row.value));
          return true;
        };
        EXPECT_OK(view->Range("kv", std::nullopt, std::nullopt, std::nullopt, add));
        EXPECT_OK(view->FetchAll("w", 0, INT64_MAX, std::nullopt, add));
        EXPECT_EQ(sum, 0);
        ++reads;
      }
    });
  }
  int64_t commits = 0;
  while (reads.load() < 200 || commits < 200) {
    const std::string a = std::to_string(commits % 37);
    const std::string amount = std::to_string(commits % 11);
    EXPECT_OK(task->key_value("kv").Put(a, std::string_view(amount), commits));
    EXPECT_OK(task->window("w").Put(a, 10, std::string_view("-" + amount), commits));
    ++commits;
    EXPECT_OK(FlushAndCommit(*task, commits, commits));
  }
  done = true;
  for (std::thread& reader : readers) reader.join();
}

}  // namespace
}  // namespace tailrace::state
