// Goal: what shows of the Java library's collections is the same here. Method: orders that a JVM printed for the same steps.
#include "java_order.h"

#include <gtest/gtest.h>

#include <array>

namespace tailrace::processor {
namespace {

TEST(JavaOrderTest, AHashSetIsIteratedByBucketThenByInsertion) {
  const std::vector<std::string> names{"name4", "KSTREAM-SOURCE-0000000000", "store10", "store9",
                                       "in1",   "in2",                       "é",       "KSTREAM-AGGREGATE-0000000003"};
  const std::vector<std::string> ordered{"store10", "name4",  "KSTREAM-SOURCE-0000000000", "KSTREAM-AGGREGATE-0000000003",
                                         "é",       "store9", "in2",                       "in1"};
  EXPECT_EQ(InJavaHashSetOrder(names), ordered);
}

TEST(JavaOrderTest, AFullHashSetHasDoubledItsBuckets) {
  std::vector<std::string> names;
  for (int i = 0; i < 20; ++i) names.push_back("op" + std::to_string(i));
  const std::vector<std::string> ordered{"op0",  "op2",  "op14", "op1", "op15", "op4", "op16", "op3", "op17", "op6",
                                         "op10", "op5",  "op11", "op8", "op12", "op7", "op13", "op9", "op18", "op19"};
  EXPECT_EQ(InJavaHashSetOrder(names), ordered);
}

TEST(JavaOrderTest, EqualElementsLeaveAPriorityQueueAsItsSiftingHasThem) {
  struct ByFirstCharacter {
    bool operator()(const std::string& a, const std::string& b) const { return a[0] < b[0]; }
  };
  JavaPriorityQueue<std::string, ByFirstCharacter> queue;
  for (const char* element : {"1a", "1b", "1c", "0d", "1e", "0f"}) queue.Push(element);
  std::vector<std::string> left;
  while (!queue.empty()) left.push_back(queue.Pop());
  EXPECT_EQ(left, (std::vector<std::string>{"0d", "0f", "1e", "1b", "1c", "1a"}));
}

TEST(JavaOrderTest, ATreeSetKeepsItsShapeWhenTheComparatorChangesItsMind) {
  std::array<int, 6> sizes{};
  const auto largest_first = [&](size_t a, size_t b) {
    return sizes[a] != sizes[b] ? sizes[b] - sizes[a] : static_cast<int>(a) - static_cast<int>(b);
  };
  JavaTreeSet<size_t, decltype(largest_first)> set(largest_first);
  for (size_t i = 0; i < sizes.size(); ++i) {
    sizes[i] = static_cast<int>(i * 7 % 5);
    set.Insert(i);
    sizes[0] += 2;
    sizes[i / 2] += 1;
  }
  EXPECT_EQ(set.InOrder(), (std::vector<size_t>{0, 2, 1, 4, 3, 5}));
}

}  // namespace
}  // namespace tailrace::processor
