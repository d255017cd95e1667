// Writes records, alone or in transactions.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "tailrace/base/status.h"
#include "tailrace/base/types.h"
#include "tailrace/kafka/record.h"

namespace tailrace::kafka {

// Identity of a group member, captured at one moment; a commit that carries a stale one is refused by the log
// (KIP-447). Opaque; made by Membership, read by the Producer of the same Cluster.
class GroupMetadata {
 public:
  virtual ~GroupMetadata() = default;
};

struct OffsetToCommit {
  base::TopicPartition partition;
  base::Offset offset;   // the next offset to read
  std::string metadata;  // see semantics of the committed-offset metadata in docs/formats.md
};

// A topic that was resolved once; cheap to copy; valid as long as its producer.
using TopicHandle = int32_t;

struct OutgoingRecord {
  TopicHandle topic = 0;
  std::optional<base::Partition> partition;  // absent: murmur2 of the key; null key: the log's choice
  NullableBytes key;
  NullableBytes value;
  int64_t timestamp_ms = 0;  // negative: the time of sending. A cluster's client cannot express 0 and sends 1
  const Headers* headers = nullptr;
};

// Thread-safety: one thread at a time. Lifetime: the Cluster outlives it.
//
// Records are copied by Send and delivered in the background, in order per partition, with idempotence. The first failed
// delivery is kept and returned by every later Flush or CommitTransaction until the producer is destroyed or the
// transaction aborted, so that no failure is lost.
//
// Every error carries its reaction, decided by one function over (client error, phase): kRetry, kAbortTransaction,
// kRecreateProducer (the result of a commit or abort is unknown: never use this object again), kTaskMigrated (fenced, or
// a stale group generation), kSkipRecord (the record is too large), kFatal.
class Producer {
 public:
  virtual ~Producer() = default;

  // Resolves a name once. The topic need not exist yet; Send reports when it does not.
  virtual absl::StatusOr<TopicHandle> Topic(std::string_view name) = 0;

  // Partitions of a topic; cached after the first call. Errors: NOT_FOUND with kFatal when it does not exist.
  virtual absl::StatusOr<int32_t> PartitionCount(TopicHandle topic) = 0;

  // Queues one record; when the queue is full it waits for room (bounded by the delivery timeout).
  virtual absl::Status Send(const OutgoingRecord& record) = 0;

  // Waits until all queued records are delivered or failed.
  virtual absl::Status Flush(int timeout_ms) = 0;

  // The highest offset that was delivered to this partition by this producer (under transactions: delivered, not
  // necessarily committed); kOffsetUnknown when none. Exact after CommitTransaction, and after Flush outside of one (the
  // embedded log gives the records of a transaction their offsets when it commits).
  virtual base::Offset LastDelivered(TopicHandle topic, base::Partition partition) const = 0;

  // Transactions. REQUIRES: made with a transactional id. InitTransactions fences older producers of that id and
  // completes their open transaction.
  virtual absl::Status InitTransactions(int timeout_ms) = 0;
  virtual absl::Status BeginTransaction() = 0;
  virtual absl::Status SendOffsets(std::span<const OffsetToCommit> offsets, const GroupMetadata& group) = 0;
  // Flushes, then commits. OK means that the log has acknowledged the commit. Waits at most
  // limits::kTransactionAnswerMsMax, or transaction_timeout_ms when that is less, as SendOffsets and AbortTransaction do.
  virtual absl::Status CommitTransaction() = 0;
  virtual absl::Status AbortTransaction() = 0;
};

}  // namespace tailrace::kafka
