// Goal: keys land on the partitions that a Java producer would choose. Method: the vectors of Kafka's own UtilsTest, and some more.
#include "tailrace/base/murmur2.h"

#include <gtest/gtest.h>

namespace tailrace::base {
namespace {

struct Vector {
  std::string_view key;
  int32_t hash;
};

TEST(Murmur2, AgreesWithTheVectorsOfKafkasUtilsTest) {
  constexpr Vector kVectors[] = {{"21", -973932308},
                                 {"foobar", -790332482},
                                 {"a-little-bit-long-string", -985981536},
                                 {"a-little-bit-longer-string", -1486304829},
                                 {"lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58897971},
                                 {std::string_view("abc", 3), 479470107},
                                 {"", 275646681},
                                 {"a", -1563381124},
                                 {"alice", 1951417749}};
  for (const Vector& vector : kVectors) EXPECT_EQ(Murmur2(vector.key), vector.hash) << vector.key;
}

TEST(Murmur2, PartitionDropsTheSignBit) {
  EXPECT_EQ(PartitionForKey("21", 12), Partition((-973932308 & 0x7fffffff) % 12));
  EXPECT_EQ(PartitionForKey("foobar", 1), Partition(0));
  EXPECT_EQ(PartitionForKey("alice", 12), Partition(9));
}

TEST(Murmur2DeathTest, RefusesATopicWithoutPartitions) {
  EXPECT_DEATH(PartitionForKey("k", 0), "at least one partition");
}

}  // namespace
}  // namespace tailrace::base
