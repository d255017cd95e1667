// Goal: a foreign-key join is Kafka Streams': its bytes, which side asks and answers what, and that an answer to a row that has
// changed meanwhile is dropped. Method: the formats by themselves, then small topologies on the TopologyTestDriver.
#include "gtest/gtest.h"
#include "tailrace/processor/detail/foreign_key_bytes.h"
#include "tailrace/processor/streams_builder.h"
#include "tailrace/processor/topology_test_driver.h"

namespace tailrace::processor {
namespace {

using detail::ForeignResponse;
using detail::RowHash;
using detail::Subscription;
using detail::SubscriptionInstruction;
using std::string;
using std::string_view;
using Strings = std::vector<TopologyTestDriver::TypedRecord<string, string>>;

const RowHash kHash = {{0x0102030405060708, 0x1112131415161718}};
const string kHashBytes = "\x01\x02\x03\x04\x05\x06\x07\x08\x11\x12\x13\x14\x15\x16\x17\x18";

string Bytes(const Subscription& subscription) {
  string bytes;
  AppendSubscription(bytes, subscription);
  return bytes;
}
string Bytes(const ForeignResponse& response) {
  string bytes;
  AppendForeignResponse(bytes, response);
  return bytes;
}

TEST(ForeignKeyBytes, ASubscriptionIsVersionInstructionHashKeyAndPartition) {
  EXPECT_EQ(Bytes({kHash, SubscriptionInstruction::kPropagateOnlyIfForeignValue, "pk", 7}), "\1\3" + kHashBytes + "pk" + string("\0\0\0\7", 4));
  EXPECT_EQ(Bytes({std::nullopt, SubscriptionInstruction::kDeleteKeyAndPropagate, "pk", 7}), string("\x81\1pk\0\0\0\7", 8))
      << "bit 7: no hash";
  EXPECT_EQ(Bytes({kHash, SubscriptionInstruction::kDeleteKeyNoPropagate, "pk", std::nullopt}), string("\0\0", 2) + kHashBytes + "pk")
      << "version 0 has no partition";
}

TEST(ForeignKeyBytes, ASubscriptionOfBothVersionsIsRead) {
  for (const std::optional<int32_t> partition : {std::optional<int32_t>(7), std::optional<int32_t>()}) {
    for (const RowHash& hash : {kHash, RowHash()}) {
      const string bytes = Bytes({hash, SubscriptionInstruction::kPropagateNullIfNoForeignValue, "pk", partition});
      const auto subscription = detail::ParseSubscription(bytes);
      ASSERT_TRUE(subscription.has_value());
      EXPECT_EQ(subscription->hash, hash);
      EXPECT_EQ(subscription->instruction, SubscriptionInstruction::kPropagateNullIfNoForeignValue);
      EXPECT_EQ(subscription->primary_key, "pk");
      EXPECT_EQ(subscription->primary_partition, partition);
    }
  }
  EXPECT_FALSE(detail::ParseSubscription("").has_value());
  EXPECT_FALSE(detail::ParseSubscription("\x82\1pk....").has_value()) << "a later version";
  EXPECT_FALSE(detail::ParseSubscription("\x81\4pk....").has_value()) << "no such instruction";
  EXPECT_FALSE(detail::ParseSubscription("\1\1short").has_value());
}

TEST(ForeignKeyBytes, AResponseIsVersionHashAndValueAndAnEmptyValueIsNone) {
  EXPECT_EQ(Bytes(ForeignResponse{kHash, string_view("v"), 7}), string(1, '\0') + kHashBytes + "v");
  EXPECT_EQ(Bytes(ForeignResponse{std::nullopt, {}, 7}), "\x80");
  const auto response = detail::ParseForeignResponse(string(1, '\0') + kHashBytes);
  ASSERT_TRUE(response.has_value());
  EXPECT_EQ(response->hash, kHash);
  EXPECT_TRUE(response->foreign_value.is_null());
  EXPECT_FALSE(detail::ParseForeignResponse("\1").has_value()) << "a later version";
}

TEST(ForeignKeyBytes, ACombinedKeyIsSizeForeignKeyAndPrimaryKey) {
  string bytes;
  detail::AppendCombinedKey(bytes, "fk", "pk");
  EXPECT_EQ(bytes, string("\0\0\0\2fkpk", 8));
}

// Left rows are "foreign key:value"; without a colon they point to nothing.
std::optional<string> ForeignKey(const string& row) {
  const size_t colon = row.find(':');
  return colon == string::npos ? std::nullopt : std::optional(row.substr(0, colon));
}

class Joined {
 public:
  explicit Joined(bool left_join) {
    StreamsBuilder builder;
    const auto left = builder.Table<string, string>("left");
    const auto right = builder.Table<string, string>("right");
    const TableJoined<string, string> named("join");
    const auto result =
        left_join ? left.LeftJoin(right, ForeignKey, [](const string& l, const string* r) { return l + "+" + (r == nullptr ? "~" : *r); }, named)
                  : left.Join(right, ForeignKey, [](const string& l, const string& r) { return l + "+" + r; }, named);
    result.ToStream().To("out");
    auto topology = builder.Build();
    EXPECT_TRUE(topology.ok()) << topology.status();
    auto driver = TopologyTestDriver::Create(*std::move(topology), {.caching = false});
    EXPECT_TRUE(driver.ok()) << driver.status();
    driver_ = *std::move(driver);
  }

  Strings After(const string& topic, const string& key, std::optional<string> value, int64_t time_ms) {
    EXPECT_TRUE((driver_->InputTopic<string, string>(topic).Pipe(key, std::move(value), time_ms).ok()));
    return driver_->OutputTopic<string, string>("out").ReadAll().value();
  }
  TopologyTestDriver& driver() { return *driver_; }
  // The instructions that were sent to the right side since the last call.
  std::vector<int> Instructions() {
    std::vector<int> instructions;
    for (const DriverRecord& record : driver_->TakeProduced("test-join-subscription-registration-topic"))
      instructions.push_back(record.value->at(1));
    return instructions;
  }

 private:
  std::unique_ptr<TopologyTestDriver> driver_;
};

const Strings kNothing;

TEST(ForeignKeyJoin, ManyRowsFollowTheRowTheyPointTo) {
  Joined join(false);
  EXPECT_EQ(join.After("left", "a", "x:1", 5), kNothing);
  EXPECT_EQ(join.After("left", "b", "x:2", 6), kNothing);
  EXPECT_EQ(join.After("left", "c", "y:3", 6), kNothing);
  EXPECT_EQ(join.After("right", "x", "X", 3), (Strings{{"a", "x:1+X", 3}, {"b", "x:2+X", 3}})) << "the time of the right row's change";
  EXPECT_EQ(join.After("left", "d", "x:4", 1), (Strings{{"d", "x:4+X", 3}})) << "the larger time";
  EXPECT_EQ(join.After("left", "b", std::nullopt, 8), (Strings{{"b", std::nullopt, 8}}));
  EXPECT_EQ(join.After("right", "x", std::nullopt, 9), (Strings{{"a", std::nullopt, 9}, {"d", std::nullopt, 9}}));
}

TEST(ForeignKeyJoin, ARowThatMovesLeavesItsOldKeyAndAsksTheNewOne) {
  Joined join(false);
  join.After("right", "x", "X", 1);
  EXPECT_EQ(join.After("left", "a", "x:1", 5), (Strings{{"a", "x:1+X", 5}}));
  EXPECT_EQ(join.Instructions(), (std::vector<int>{3}));
  EXPECT_EQ(join.After("left", "a", "x:2", 6), (Strings{{"a", "x:2+X", 6}}));
  EXPECT_EQ(join.Instructions(), (std::vector<int>{3}));
  EXPECT_EQ(join.After("left", "a", "y:3", 7), (Strings{{"a", std::nullopt, 7}})) << "nothing is there, which must be told";
  EXPECT_EQ(join.Instructions(), (std::vector<int>{0, 2}));
  EXPECT_EQ(join.After("left", "a", "none", 8), (Strings{{"a", std::nullopt, 8}}));
  EXPECT_EQ(join.Instructions(), (std::vector<int>{1}));
  EXPECT_EQ(join.After("left", "a", std::nullopt, 9), kNothing);
  EXPECT_EQ(join.driver().Dropped(), (std::map<string, int64_t>{{"null_key", 1}}));
}

TEST(ForeignKeyJoin, ALeftJoinAnswersForRowsThatPointToNothing) {
  Joined join(true);
  EXPECT_EQ(join.After("left", "a", "x:1", 5), (Strings{{"a", "x:1+~", 5}}));
  EXPECT_EQ(join.After("left", "b", "none", 5), (Strings{{"b", "none+~", 5}}));
  EXPECT_EQ(join.After("right", "x", "X", 7), (Strings{{"a", "x:1+X", 7}}));
  EXPECT_EQ(join.After("right", "x", std::nullopt, 8), (Strings{{"a", "x:1+~", 8}}));
  EXPECT_EQ(join.After("left", "a", std::nullopt, 9), (Strings{{"a", std::nullopt, 9}}));
  EXPECT_EQ(join.After("left", "a", std::nullopt, 10), kNothing);
  EXPECT_EQ(join.Instructions(), (std::vector<int>{2, 2, 0, 2})) << "a delete leaves the old key, then asks without one";
}

TEST(ForeignKeyJoin, AnAnswerToARowThatHasChangedIsDropped) {
  Joined join(false);
  join.After("left", "a", "x:1", 5);
  string answer(1, '\0');
  answer += kHashBytes + "X";  // not the hash of x:1
  ASSERT_TRUE(join.driver().Pipe("test-join-subscription-response-topic", string_view("a"), string_view(answer), 6).ok());
  EXPECT_EQ(join.driver().TakeProduced("out").size(), 0u);
  EXPECT_EQ(join.driver().Dropped(), (std::map<string, int64_t>{{"outdated", 1}}));
}

TEST(ForeignKeyJoin, TheExtractorMayUseTheKey) {
  StreamsBuilder builder;
  const auto right = builder.Table<string, string>("right");
  builder.Table<string, string>("left")
      .Join(right, [](const string& key, const string&) { return key.substr(0, 1); }, [](const string& l, const string& r) { return l + r; })
      .ToStream()
      .To("out");
  auto driver = *TopologyTestDriver::Create(*builder.Build(), {.caching = false});
  ASSERT_TRUE((driver->InputTopic<string, string>("right").Pipe("x", "X", 1).ok()));
  ASSERT_TRUE((driver->InputTopic<string, string>("left").Pipe("x1", "l", 2).ok()));
  EXPECT_EQ((driver->OutputTopic<string, string>("out").ReadAll().value()), (Strings{{"x1", "lX", 2}}));
}

TEST(ForeignKeyJoin, SubscriptionsAreLoggedWithTheHeadersOfTheirRecord) {
  Joined join(false);
  const kafka::Headers headers{{"h", "x"}};
  ASSERT_TRUE(join.driver().Pipe("left", string_view("a"), string_view("x:1"), 5, headers).ok());
  const auto records = join.driver().TakeProduced("test-join-subscription-store-changelog");
  ASSERT_EQ(records.size(), 1u);
  EXPECT_EQ(records[0].key, string("\0\0\0\1xa", 6));
  EXPECT_EQ(records[0].headers, headers);
}

}  // namespace
}  // namespace tailrace::processor
