// Goal: committed-offset metadata has Kafka Streams' bytes.
#include "committed_metadata.h"
#include "gtest/gtest.h"

namespace tailrace::processor {
namespace {

TEST(CommittedMetadata, PartitionTimeHasKafkaStreamsBytes) {
  EXPECT_EQ(EncodeCommittedMetadata({.partition_time_ms = 61'234, .operator_times_ms = {}}), "AgAAAAAAAO8y");
  EXPECT_EQ(DecodeCommittedMetadata("AgAAAAAAAO8y").partition_time_ms, 61'234);
}

TEST(CommittedMetadata, OperatorTimesSurviveTheRoundTrip) {
  const CommittedMetadata metadata{.partition_time_ms = 5, .operator_times_ms = {{"count", 7}, {"join", -1}}};
  const CommittedMetadata decoded = DecodeCommittedMetadata(EncodeCommittedMetadata(metadata));
  EXPECT_EQ(decoded.partition_time_ms, 5);
  EXPECT_EQ(decoded.operator_times_ms, metadata.operator_times_ms);
}

TEST(CommittedMetadata, ForeignOrCutTextGivesNoTime) {
  for (const char* text : {"", "x", "AgAA", "AwAAAAAAAO8y", "!!!!"})
    EXPECT_EQ(DecodeCommittedMetadata(text).partition_time_ms, base::kNoTimestampMs) << text;
}

}  // namespace
}  // namespace tailrace::processor
