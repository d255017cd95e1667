// Goal: the bytes that other programs read are those of Kafka Streams, and damaged bytes are refused.
// Method: vectors computed by hand from Kafka Streams' formats; every truncation of an encoded record.
#include "commit_record.h"
#include "disk_keys.h"
#include "support.h"
#include "tailrace/base/bytes.h"
#include "tailrace/state/changelog.h"

namespace tailrace::state {
namespace {

TEST(ChangelogKey, MatchesKafkaStreams) {
  std::string bytes;
  AppendWindowKey(bytes, "alice", 60'000, 0);
  EXPECT_EQ(base::HexEncode(bytes), "616c696365000000000000ea6000000000");
  bytes.clear();
  AppendWindowKey(bytes, "", 0x0102030405060708, 0x7fffffff);
  EXPECT_EQ(base::HexEncode(bytes), "01020304050607087fffffff");
}

TEST(ChangelogKey, RoundTripsAndRefusesShortKeys) {
  std::string bytes;
  AppendWindowKey(bytes, "k", 5, 7);
  const auto parsed = ParseWindowKey(bytes);
  ASSERT_TRUE(parsed.has_value());
  EXPECT_EQ(parsed->key, "k");
  EXPECT_EQ(parsed->window_start_ms, 5);
  EXPECT_EQ(parsed->sequence, 7);
  EXPECT_FALSE(ParseWindowKey(std::string_view(bytes).substr(0, 11)).has_value());
  EXPECT_FALSE(ParseWindowKey("").has_value());
}

TEST(DiskKey, DuplicateKeysOfOneKeyAreARange) {
  // "a" and "ab" must not mix although one is a prefix of the other.
  std::string a;
  std::string ab;
  AppendDuplicateKey(a, 60'000, "a", 60'001, 3);
  AppendDuplicateKey(ab, 60'000, "ab", 60'000, 1);
  EXPECT_LT(a, ab);
  Row row;
  int32_t sequence = 0;
  ASSERT_TRUE(ParseDuplicateDiskKey(a, row, sequence));
  EXPECT_EQ(row.key, "a");
  EXPECT_EQ(row.window_start_ms, 60'001);
  EXPECT_EQ(sequence, 3);
  EXPECT_FALSE(ParseDuplicateDiskKey(a.substr(0, a.size() - 1), row, sequence));
  EXPECT_FALSE(ParseDuplicateDiskKey(a + "x", row, sequence));
}

TEST(CommitRecordCodec, RoundTripsAndRefusesEveryTruncation) {
  CommitRecord record;
  record.stream_time_ms = 61'234;
  record.position[{"posts", base::Partition(3)}] = base::Offset(1'000'000);
  record.position[{"trades", base::Partition(0)}] = base::Offset(7);
  record.operator_times_ms["KSTREAM-AGGREGATE-0000000002"] = -1;
  record.stores["counts"] = {base::Offset(99), 60'000, 12};
  record.stores["other"] = {};
  const std::string bytes = EncodeCommitRecord(record);
  const auto decoded = DecodeCommitRecord(bytes);
  ASSERT_TRUE(decoded.has_value());
  EXPECT_EQ(decoded->stream_time_ms, record.stream_time_ms);
  EXPECT_EQ(decoded->position, record.position);
  EXPECT_EQ(decoded->operator_times_ms, record.operator_times_ms);
  EXPECT_EQ(decoded->stores, record.stores);
  for (size_t size = 0; size < bytes.size(); ++size) EXPECT_FALSE(DecodeCommitRecord(bytes.substr(0, size)).has_value()) << size;
  EXPECT_FALSE(DecodeCommitRecord(bytes + "x").has_value());
  std::string newer = bytes;
  newer[0] = 2;
  EXPECT_FALSE(DecodeCommitRecord(newer).has_value());
}

}  // namespace
}  // namespace tailrace::state
