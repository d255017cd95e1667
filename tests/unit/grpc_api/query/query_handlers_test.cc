// Goal: each method's answers and errors as the wire contract states them, without a network.
#include "query/query_handlers.h"

#include <gtest/gtest.h>

#include "common/wire.h"
#include "support/fake_queryable.h"

namespace tailrace::grpc_api {
namespace {

using testing::FakeQueryable;
constexpr int64_t kW = FakeQueryable::kWindowMs;

class QueryHandlersTest : public ::testing::Test {
 protected:
  template <class Response, class Request>
  absl::StatusOr<Response> Call(const Request& request) {
    Response response;
    const absl::Status status = handlers_.Handle(request, Deadline(base::SystemClock(), 5'000), &response);
    if (!status.ok()) return status;
    return response;
  }
  v1::GetRequest GetCity(const std::string& city, int64_t start_ms) {
    v1::GetRequest request;
    request.set_store(FakeQueryable::kStore);
    request.set_key_text(city);
    SetTimestamp(request.mutable_window_start(), start_ms);
    return request;
  }
  FakeQueryable queryable_;
  QueryHandlers handlers_{queryable_};
};

TEST_F(QueryHandlersTest, AbsentKeyIsAnAnswerAndExpiredIsDistinguished) {
  queryable_.Put("Toronto", kW, {.posts = 2, .retweets = 0, .users = {"u"}});
  const auto found = Call<v1::GetResponse>(GetCity("Toronto", kW));
  ASSERT_TRUE(found.ok()) << found.status();
  EXPECT_TRUE(found->found());
  EXPECT_EQ(found->row().value().json(), R"({"posts":2,"retweets":0,"active_users":1,"active_users_exact":true})");
  EXPECT_EQ(found->row().key_json(), "\"Toronto\"");
  EXPECT_EQ(MsOf(found->row().window().end()), 2 * kW);
  EXPECT_EQ(found->source().role(), v1::TASK_ROLE_ACTIVE);
  EXPECT_EQ(found->source().task().partition(), queryable_.PartitionOf("Toronto"));

  const auto absent = Call<v1::GetResponse>(GetCity("Toronto", 0));
  EXPECT_FALSE(absent->found());
  EXPECT_FALSE(absent->expired());

  queryable_.SetRetentionStart(kW);
  const auto expired = Call<v1::GetResponse>(GetCity("Toronto", 0));
  EXPECT_FALSE(expired->found());
  EXPECT_TRUE(expired->expired());
}

TEST_F(QueryHandlersTest, JsonOnlyLeavesOutBytesOnlyWhereThereIsJson) {
  queryable_.Put("Toronto", kW, {.posts = 2, .retweets = 0, .users = {}});
  v1::GetRequest request = GetCity("Toronto", kW);
  request.mutable_read_options()->set_json_only(true);
  EXPECT_EQ(Call<v1::GetResponse>(request)->row().value().data(), "");
  queryable_.PutTotal("k", "raw");
  v1::GetRequest total;
  total.set_store("totals");
  total.set_key_bytes("k");
  total.mutable_read_options()->set_json_only(true);
  EXPECT_EQ(Call<v1::GetResponse>(total)->row().value().data(), "raw");
}

TEST_F(QueryHandlersTest, BadRequestsAreInvalidArgument) {
  v1::GetRequest no_window;
  no_window.set_store(FakeQueryable::kStore);
  no_window.set_key_text("x");
  EXPECT_EQ(Call<v1::GetResponse>(no_window).status().code(), absl::StatusCode::kInvalidArgument);
  v1::GetRequest no_key;
  no_key.set_store("totals");
  EXPECT_EQ(Call<v1::GetResponse>(no_key).status().code(), absl::StatusCode::kInvalidArgument);
  v1::ScanRequest negative;
  negative.set_store(FakeQueryable::kStore);
  negative.set_page_size(-1);
  EXPECT_EQ(Call<v1::ScanResponse>(negative).status().code(), absl::StatusCode::kInvalidArgument);
  v1::ScanRequest backwards;
  backwards.set_store(FakeQueryable::kStore);
  SetTimestamp(backwards.mutable_from(), 10);
  SetTimestamp(backwards.mutable_to(), 5);
  EXPECT_EQ(Call<v1::ScanResponse>(backwards).status().code(), absl::StatusCode::kInvalidArgument);
  v1::ScanRequest no_such_partition;
  no_such_partition.set_store(FakeQueryable::kStore);
  no_such_partition.add_partitions(99);
  EXPECT_EQ(Call<v1::ScanResponse>(no_such_partition).status().code(), absl::StatusCode::kInvalidArgument);
  for (const int n : {0, -1, 1001}) {
    v1::TopRequest top;
    top.set_store(FakeQueryable::kStore);
    top.set_n(n);
    EXPECT_EQ(Call<v1::TopResponse>(top).status().code(), absl::StatusCode::kInvalidArgument) << n;
  }
}

TEST_F(QueryHandlersTest, ExtremeTimesDoNotOverflow) {
  queryable_.Put("Toronto", kW, {.posts = 2, .retweets = 0, .users = {}});
  v1::ScanRequest request;
  request.set_store(FakeQueryable::kStore);
  request.mutable_from()->set_seconds(std::numeric_limits<int64_t>::min());
  request.mutable_to()->set_seconds(std::numeric_limits<int64_t>::max());
  EXPECT_EQ(Call<v1::ScanResponse>(request)->rows_size(), 1);
}

TEST_F(QueryHandlersTest, UnknownStoreIsNotFoundAndNamesTheStores) {
  v1::TopRequest request;
  request.set_store("nope");
  request.set_n(1);
  const absl::Status status = Call<v1::TopResponse>(request).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(ReasonOf(status), reason::kUnknownStore);
  EXPECT_NE(status.message().find("city-metrics"), std::string::npos);
}

TEST_F(QueryHandlersTest, WrongOwnerNamesTheRightOne) {
  const int32_t partition = queryable_.PartitionOf("Toronto");
  std::set<int32_t> others = {0, 1, 2, 3};
  others.erase(partition);
  queryable_.SetHeld(others);
  processor::RoutingTable table;
  table.workers.push_back({"worker-1", "w1:9090", {{0, base::Partition(partition)}}, {}});
  queryable_.SetRouting(table);
  const absl::Status status = Call<v1::GetResponse>(GetCity("Toronto", 0)).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  const std::optional<ErrorInfo> info = ErrorInfoOf(status);
  ASSERT_TRUE(info);
  EXPECT_EQ(info->reason, reason::kNotActiveOwner);
  EXPECT_EQ(info->metadata.at("owner_endpoint"), "w1:9090");
  EXPECT_EQ(info->metadata.at("task"), "0_" + std::to_string(partition));
}

TEST_F(QueryHandlersTest, RestoringIsUnavailable) {
  queryable_.SetRestoring(true);
  const absl::Status status = Call<v1::GetResponse>(GetCity("Toronto", 0)).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(ReasonOf(status), reason::kRestoring);
}

TEST_F(QueryHandlersTest, FreshnessIsEnforced) {
  queryable_.SetHeld({}, {0, 1, 2, 3}, /*standby_staleness_ms=*/700);
  const auto standby = Call<v1::GetResponse>(GetCity("Toronto", 0));
  ASSERT_TRUE(standby.ok()) << "without a condition any copy is good";
  EXPECT_EQ(standby->source().role(), v1::TASK_ROLE_STANDBY);
  EXPECT_EQ(MsOf(standby->source().staleness()), 700);

  v1::GetRequest fresh = GetCity("Toronto", 0);
  SetDuration(fresh.mutable_read_options()->mutable_max_staleness(), 500);
  EXPECT_EQ(ReasonOf(Call<v1::GetResponse>(fresh).status()), reason::kTooStale);
  SetDuration(fresh.mutable_read_options()->mutable_max_staleness(), 700);
  EXPECT_TRUE(Call<v1::GetResponse>(fresh).ok());

  v1::GetRequest active = GetCity("Toronto", 0);
  active.mutable_read_options()->set_require_active(true);
  EXPECT_EQ(ReasonOf(Call<v1::GetResponse>(active).status()), reason::kNotActiveOwner);

  const int32_t partition = queryable_.PartitionOf("Toronto");
  queryable_.SetPosition(partition, 41);
  v1::GetRequest position = GetCity("Toronto", 0);
  v1::PositionEntry* entry = position.mutable_read_options()->mutable_min_position()->add_entries();
  entry->set_topic("posts");
  entry->set_partition(partition);
  entry->set_offset(42);
  const absl::Status behind = Call<v1::GetResponse>(position).status();
  EXPECT_EQ(behind.code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(ReasonOf(behind), reason::kPositionNotReached);
  queryable_.SetPosition(partition, 42);
  EXPECT_TRUE(Call<v1::GetResponse>(position).ok());
  entry->set_partition((partition + 1) % 4);
  entry->set_offset(1'000'000);
  EXPECT_TRUE(Call<v1::GetResponse>(position).ok()) << "other partitions are not this copy's business";
}

TEST_F(QueryHandlersTest, FetchWindowsMergesAndTellsUnknownFromEmptyFromExpired) {
  queryable_.Put("Toronto", kW, {.posts = 2, .retweets = 1, .users = {"a", "b"}});
  queryable_.Put("Toronto", 2 * kW, {.posts = 3, .retweets = 0, .users = {"b", "c"}});
  v1::FetchWindowsRequest request;
  request.set_store(FakeQueryable::kStore);
  request.set_key_text("Toronto");
  request.set_merge(true);
  auto answer = Call<v1::FetchWindowsResponse>(request);
  ASSERT_EQ(answer->rows_size(), 2);
  EXPECT_EQ(answer->merged().json(), R"({"posts":5,"retweets":1,"active_users":3,"active_users_exact":true})");

  SetTimestamp(request.mutable_from(), 10 * kW);
  answer = Call<v1::FetchWindowsResponse>(request);
  EXPECT_EQ(answer->rows_size(), 0);
  EXPECT_TRUE(answer->key_known());
  EXPECT_FALSE(answer->expired());
  EXPECT_FALSE(answer->has_merged());

  request.set_key_text("Nowhere");
  EXPECT_FALSE(Call<v1::FetchWindowsResponse>(request)->key_known());

  queryable_.SetRetentionStart(2 * kW);
  request.set_key_text("Toronto");
  SetTimestamp(request.mutable_from(), 0);
  SetTimestamp(request.mutable_to(), 2 * kW);
  answer = Call<v1::FetchWindowsResponse>(request);
  EXPECT_TRUE(answer->expired());
  EXPECT_TRUE(answer->key_known());
  EXPECT_EQ(answer->rows_size(), 0);
}

TEST_F(QueryHandlersTest, ScanPagesThroughTokensAndRefusesForeignOnes) {
  for (int i = 0; i < 10; ++i) queryable_.Put("c" + std::to_string(i), kW, {.posts = 1, .retweets = 0, .users = {}});
  v1::ScanRequest request;
  request.set_store(FakeQueryable::kStore);
  request.set_page_size(4);
  std::vector<std::string> keys;
  int pages = 0;
  do {
    const auto page = Call<v1::ScanResponse>(request);
    ASSERT_TRUE(page.ok()) << page.status();
    EXPECT_EQ(page->sources_size(), 4);
    for (const v1::Row& row : page->rows()) keys.push_back(row.key());
    request.set_page_token(page->next_page_token());
    ++pages;
  } while (!request.page_token().empty());
  EXPECT_EQ(pages, 3);
  EXPECT_EQ(keys.size(), 10u);

  request.set_page_token("");
  const std::string token = Call<v1::ScanResponse>(request)->next_page_token();
  request.set_page_token(token);
  SetTimestamp(request.mutable_from(), 1);
  EXPECT_EQ(ReasonOf(Call<v1::ScanResponse>(request).status()), reason::kBadPageToken) << "another range";
  request.clear_from();
  request.set_page_token(token.substr(1));
  EXPECT_EQ(ReasonOf(Call<v1::ScanResponse>(request).status()), reason::kBadPageToken) << "damaged";
  request.set_page_token(token);
  request.set_page_size(1'000'000);
  EXPECT_EQ(Call<v1::ScanResponse>(request)->rows_size(), 6) << "the page size may change";
}

}  // namespace
}  // namespace tailrace::grpc_api
