// The embedded log itself: topics, partitions, group offsets, transactional ids and fencing, over a Storage.
//
// A transaction is one Append at its commit: nothing of it is stored before, so readers never meet uncommitted records,
// an abort has nothing to undo, and a crash leaves either all of it or nothing.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "embedded/chunk.h"
#include "embedded/metadata.h"
#include "embedded/storage.h"
#include "tailrace/base/clock.h"
#include "tailrace/base/status.h"
#include "tailrace/base/types.h"
#include "tailrace/kafka/admin.h"
#include "tailrace/kafka/membership.h"

namespace tailrace::kafka::embedded {

// The readable range [begin, end) of a partition. `end` grows after the records are readable, never before.
struct PartitionLog {
  explicit PartitionLog(LogId log_id) : id(log_id) {}
  const LogId id;
  std::atomic<int64_t> begin{0};
  std::atomic<int64_t> end{0};
  // Bytes appended since the last compaction, and left by it. What an opened log holds counts as not compacted.
  std::atomic<int64_t> dirty_bytes{0};
  std::atomic<int64_t> clean_bytes{0};
};

// Shared by the engine and every consumer and producer that has resolved it; `deleted` tells those that it is gone.
struct Topic {
  std::string name;
  StoredTopic stored;
  std::vector<std::unique_ptr<PartitionLog>> partitions;
  std::atomic<bool> deleted{false};
};
using TopicRef = std::shared_ptr<Topic>;

struct PendingChunk {
  PartitionLog* log = nullptr;
  ChunkBytes bytes;
  int64_t base = -1;  // set by Append
};

struct GroupCommit {
  std::string group;
  int32_t generation = -1;
  std::vector<OffsetToCommit> offsets;
};

// What one Append stores, atomically.
struct AppendRequest {
  std::vector<PendingChunk> chunks;
  std::vector<GroupCommit> commits;
  // Refused when the transactional id has a newer epoch; empty: no fence.
  std::string transactional_id;
  int64_t epoch = 0;
  // The topics that `chunks` point into, checked for deletion.
  std::vector<TopicRef> topics;
};

// A member's place in a group. A newer one with the same instance id takes it.
struct Seat {
  int32_t generation = 0;
  std::string member_id;
  std::string instance_id;
  std::atomic<bool> fenced{false};
};

// Thread-safe.
class LogEngine {
 public:
  static absl::StatusOr<std::unique_ptr<LogEngine>> Open(std::unique_ptr<Storage> storage, const base::Clock& clock);

  // Topics.
  absl::Status CreateTopics(const std::vector<NewTopic>& topics);
  absl::Status DeleteTopics(const std::vector<std::string>& names);
  // Null when it does not exist.
  TopicRef Find(std::string_view name) const;
  // NOT_FOUND with kFatal when topic or partition does not exist.
  absl::StatusOr<TopicRef> Require(const base::TopicPartition& partition) const;
  std::vector<TopicRef> Topics() const;

  // Records.
  absl::Status Append(AppendRequest& request);
  absl::Status Read(const PartitionLog& log, int64_t offset, size_t bytes_max, std::vector<StoredChunk>& out);
  absl::Status DeleteRecords(const TopicRef& topic, base::Partition partition, int64_t before);
  absl::StatusOr<int64_t> OffsetForTime(const PartitionLog& log, int64_t timestamp_ms);

  // Deletes chunks past their topic's retention.ms.
  absl::Status ApplyRetention();
  // Keeps the last record per key in the partitions of compacted topics that have doubled since the last time, or in all
  // of them when `force` is set. The newest chunk is never touched.
  absl::Status Compact(bool force);

  // Waits until `ready` is true, which is asked after every Append; false when the deadline came first.
  bool WaitForAppend(int timeout_ms, const std::function<bool()>& ready);
  // Makes waiting readers ask again.
  void NotifyReaders();

  // Transactional ids: a new epoch, which fences all older ones.
  absl::StatusOr<int64_t> NewEpoch(const std::string& transactional_id);
  absl::Status CheckEpoch(const std::string& transactional_id, int64_t epoch) const;

  // Groups.
  absl::StatusOr<std::shared_ptr<Seat>> Join(const std::string& group, const std::string& instance_id);
  void Leave(const std::string& group, const std::shared_ptr<Seat>& seat);
  std::vector<GroupMember> Members(const std::string& group) const;
  std::vector<CommittedOffset> Committed(const std::string& group, std::span<const base::TopicPartition> partitions) const;
  std::vector<CommittedOffset> GroupOffsets(const std::string& group) const;
  // Both are for a group without a member: FAILED_PRECONDITION while there is one.
  absl::Status SetGroupOffsets(const std::string& group, std::span<const OffsetToCommit> offsets);
  absl::Status DeleteGroup(const std::string& group);
  // kAbortTransaction when the generation is not the group's.
  absl::Status CheckGeneration(const std::string& group, int32_t generation) const;

  std::string Description() const { return storage_->Description(); }
  const base::Clock& clock() const { return clock_; }

 private:
  struct GroupOffset {
    int64_t offset = 0;
    std::string metadata;
  };
  struct Group {
    int32_t generation = 0;
    std::weak_ptr<Seat> seat;  // owned by the Membership: gone with it
    std::map<base::TopicPartition, GroupOffset> offsets;
  };

  LogEngine(std::unique_ptr<Storage> storage, const base::Clock& clock) : storage_(std::move(storage)), clock_(clock) {}

  absl::Status Load();
  absl::Status LoadEntry(std::string_view key, std::string_view value, std::map<LogId, int64_t>& begins);
  absl::Status FindEnds(const std::map<LogId, int64_t>& begins);
  absl::Status CheckAppend(const AppendRequest& request) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  absl::Status CheckEpochLocked(const std::string& transactional_id, int64_t epoch) const ABSL_SHARED_LOCKS_REQUIRED(mu_);
  absl::Status CheckNoMember(const std::string& group) const ABSL_SHARED_LOCKS_REQUIRED(mu_);
  absl::Status CheckGenerationLocked(const std::string& group, int32_t generation) const ABSL_SHARED_LOCKS_REQUIRED(mu_);
  absl::Status DeleteBefore(const Topic& topic, PartitionLog& log, int64_t before) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  absl::Status CompactPartition(const Topic& topic, PartitionLog& log);
  absl::StatusOr<int64_t> FirstKept(const PartitionLog& log, int64_t oldest_ms);
  // Calls `visit` for the chunks with a base in [from, to), in order, until it fails; CANCELLED ends it without an error.
  absl::Status VisitChunks(const PartitionLog& log, int64_t from, int64_t to,
                           const std::function<absl::Status(const StoredChunk&)>& visit);

  const std::unique_ptr<Storage> storage_;
  const base::Clock& clock_;

  // Orders all changes; readers of data take it never.
  mutable absl::Mutex mu_;
  std::map<std::string, TopicRef, std::less<>> topics_ ABSL_GUARDED_BY(mu_);
  std::map<std::string, Group, std::less<>> groups_ ABSL_GUARDED_BY(mu_);
  std::map<std::string, int64_t, std::less<>> epochs_ ABSL_GUARDED_BY(mu_);
  uint32_t next_topic_id_ ABSL_GUARDED_BY(mu_) = 1;

  absl::Mutex wait_mu_;
  absl::CondVar appended_;
  std::atomic<int> waiting_{0};
};

}  // namespace tailrace::kafka::embedded
