// The small value types that every room speaks in: Partition, Offset, TopicPartition, TaskId.
//
// Partition and Offset are distinct types so that a partition is never passed where an offset is meant. Times are
// int64_t milliseconds since the epoch in variables named *_ms.
#pragma once

#include <compare>
#include <cstdint>
#include <functional>
#include <string>

namespace tailrace::base {

// An integer with a meaning. It converts only explicitly.
template <class Tag, class Rep>
class StrongInt {
 public:
  constexpr StrongInt() = default;
  constexpr explicit StrongInt(Rep value) : value_(value) {}
  constexpr Rep value() const { return value_; }
  constexpr StrongInt Next() const { return StrongInt(value_ + 1); }
  friend constexpr auto operator<=>(StrongInt, StrongInt) = default;
  template <class H>
  friend H AbslHashValue(H h, StrongInt i) { return H::combine(std::move(h), i.value_); }

 private:
  Rep value_{};
};

using Partition = StrongInt<struct PartitionTag, int32_t>;
using Offset = StrongInt<struct OffsetTag, int64_t>;

// Special offsets where an API says that it takes them.
inline constexpr Offset kOffsetBeginning{-2};
inline constexpr Offset kOffsetEnd{-1};
inline constexpr Offset kOffsetUnknown{-4};  // Kafka Streams' OffsetCheckpoint.OFFSET_UNKNOWN

inline constexpr int64_t kNoTimestampMs = -1;

struct TopicPartition {
  std::string topic;
  Partition partition;
  friend auto operator<=>(const TopicPartition&, const TopicPartition&) = default;
  std::string ToString() const { return topic + "-" + std::to_string(partition.value()); }
  template <class H>
  friend H AbslHashValue(H h, const TopicPartition& tp) {
    return H::combine(std::move(h), tp.topic, tp.partition);
  }
};

// One subtopology on one partition. Its text form is Kafka Streams': "<subtopology>_<partition>".
struct TaskId {
  int32_t subtopology = 0;
  Partition partition;
  friend auto operator<=>(const TaskId&, const TaskId&) = default;
  std::string ToString() const { return std::to_string(subtopology) + "_" + std::to_string(partition.value()); }
  template <class H>
  friend H AbslHashValue(H h, const TaskId& id) {
    return H::combine(std::move(h), id.subtopology, id.partition);
  }
};

}  // namespace tailrace::base
