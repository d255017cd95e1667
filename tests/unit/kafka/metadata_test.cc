#include "embedded/metadata.h"

#include "gtest/gtest.h"
#include "tailrace/base/bytes.h"

namespace tailrace::kafka::embedded {
namespace {

TEST(MetadataTest, TopicsComeBack) {
  const StoredTopic topic{7, 12, {{"cleanup.policy", "compact"}, {"empty", ""}}};
  const std::string bytes = EncodeTopic(topic);
  StoredTopic back;
  ASSERT_TRUE(DecodeTopic(bytes, back));
  EXPECT_EQ(back.id, 7u);
  EXPECT_EQ(back.partition_count, 12u);
  EXPECT_EQ(back.config, topic.config);
  for (size_t size = 0; size < bytes.size(); ++size) {
    StoredTopic ignored;
    EXPECT_FALSE(DecodeTopic(std::string_view(bytes).substr(0, size), ignored)) << size;
  }
}

TEST(MetadataTest, GroupOffsetsComeBack) {
  const base::TopicPartition partition{"a-topic", base::Partition{3}};
  const std::string key = GroupOffsetKey("group", partition);
  const std::string value = EncodeGroupOffset(42, std::string("meta\0data", 9));
  StoredGroupOffset back;
  ASSERT_TRUE(DecodeGroupOffset(std::string_view(key).substr(1), value, back));
  EXPECT_EQ(back.group, "group");
  EXPECT_EQ(back.partition, partition);
  EXPECT_EQ(back.offset, 42);
  EXPECT_EQ(back.metadata, std::string("meta\0data", 9));
  EXPECT_FALSE(DecodeGroupOffset(std::string_view(key).substr(1), value.substr(0, 5), back));
  EXPECT_FALSE(DecodeGroupOffset(std::string_view(key).substr(1, 4), value, back));
}

// Goal: the bytes on disk never change.
TEST(MetadataTest, TheFormatIsFixed) {
  EXPECT_EQ(base::HexEncode(GroupOffsetKey("g", {"t", base::Partition{1}})), "47" "02" "67" "02" "74" "00000001");
  EXPECT_EQ(base::HexEncode(EncodeGroupOffset(2, "m")), "01" "0000000000000002" "6d");
  EXPECT_EQ(base::HexEncode(LogBeginKey({1, 2})), "4c" "00000001" "00000002");
  EXPECT_EQ(base::HexEncode(EncodeTopic({1, 2, {{"k", "v"}}})), "01" "00000001" "00000002" "02" "02" "6b" "02" "76");
  EXPECT_EQ(TopicKey("name"), "Tname");
  EXPECT_EQ(TransactionalIdKey("id"), "Xid");
}

}  // namespace
}  // namespace tailrace::kafka::embedded
