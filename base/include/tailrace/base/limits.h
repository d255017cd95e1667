// Every bound of a queue, buffer, loop or page, with its unit. docs/limits.md renders this page.
#pragma once

#include <cstddef>
#include <cstdint>

namespace tailrace::base::limits {

// Records that one poll of the log may return.
inline constexpr int kPollRecordsMax = 10'000;
// Changes not yet committed, per stream thread, before a commit is made early (bytes of keys and values).
inline constexpr size_t kUncommittedBytesMax = 64u << 20;
// Largest key and value that a store accepts (bytes).
inline constexpr size_t kKeyBytesMax = 64u << 10;
inline constexpr size_t kValueBytesMax = 1u << 20;
// Records buffered per input partition of a task that must choose between partitions by time.
inline constexpr size_t kBufferedRecordsPerPartition = 1'000;
// Keys in memory, per task, of the records that wait in the buffer of a join with a grace period; the others are in its store.
inline constexpr size_t kJoinBufferKeysMax = 10'000;
// Records applied to a store by one restore batch.
inline constexpr int kRestoreBatchRecords = 10'000;
// Restored entries held in memory per task before they are written as one sorted file (bytes).
inline constexpr size_t kRestoreStagedBytesMax = 32u << 20;
// Rows of a store with a time to live that one commit looks at, and deletes of them what has expired.
inline constexpr int kTimeToLiveRowsPerCommit = 5'000;
// Watermark mode: time after which an idle task says again that it is idle, and after which others, by the time that they wrote
// something, take it no more for idle but for one that has stopped (milliseconds). Clocks of workers agree to well within both.
inline constexpr int64_t kIdleHeartbeatMs = 5'000;
inline constexpr int64_t kIdleHeartbeatMsMax = 30'000;
// Page sizes of queries: when none is asked for, and at most.
inline constexpr int kPageSizeDefault = 50;
inline constexpr int kPageSizeMax = 1'000;
// Entries of one top-N answer.
inline constexpr int kTopEntriesMax = 1'000;
// Updates waiting for one slow subscriber before its subscription is ended with RESOURCE_EXHAUSTED.
inline constexpr size_t kSubscriptionQueueMax = 10'000;
// Attempts at a retriable call before its error is passed on.
inline constexpr int kRetriesMax = 10;

// The embedded log (kafka/src/embedded). Records are stored in chunks of about this size (bytes).
inline constexpr size_t kLogChunkBytes = 64u << 10;
// Bytes that one producer without transactions buffers before it writes without waiting for Flush, and the time after
// which buffered records are written anyway (milliseconds).
inline constexpr size_t kLogBufferBytesMax = 1u << 20;
inline constexpr int kLogLingerMs = 5;
// Bytes of one open transaction; more aborts it.
inline constexpr size_t kLogTransactionBytesMax = 512u << 20;
// Bytes of the newest chunks kept in memory for readers at the end of a partition, and of one read from disk.
inline constexpr size_t kLogTailBytesMax = 32u << 20;
inline constexpr size_t kLogReadBytesMax = 2u << 20;
// Time between two looks for records past retention.ms (milliseconds).
inline constexpr int kLogRetentionCheckMs = 300'000;
// Largest record (key, value and headers, bytes): Kafka's own default of max.message.bytes.
inline constexpr size_t kLogRecordBytesMax = 1'048'588;
// Keys that one compaction of a partition remembers (about 40 bytes each); records of further keys are all kept.
inline constexpr size_t kLogCompactionKeysMax = 4'000'000;
// Bytes appended to a compacted partition before it is compacted again.
inline constexpr int64_t kLogCompactionBytes = 32 << 20;
// Time that a commit, an abort or the sending of offsets waits for the broker (milliseconds), when the transaction's own
// timeout is not shorter. Without an answer the producer is made anew, so waiting longer only delays the recovery; and a
// process must end within 10 s of SIGTERM, whatever call it is in.
inline constexpr int kTransactionAnswerMsMax = 7'000;
// Partitions of one topic.
inline constexpr int32_t kPartitionsMax = 10'000;

// One piece of input (a record's value, a line of a file, a frame) that a format reads (bytes), and items of a list in it.
inline constexpr size_t kEventBytesMax = 1u << 20;
inline constexpr size_t kEventListItemsMax = 1'000;
// A text that a `first` or `last` aggregate keeps (bytes); longer ones are cut.
inline constexpr size_t kAggregateTextBytesMax = 4u << 10;
// Values that a `distinct` aggregate keeps exactly before it becomes a sketch: when none is asked for, and at most.
inline constexpr int64_t kDistinctExactDefault = 1'024;
inline constexpr int64_t kDistinctExactMax = 65'536;
// Fields of one aggregate.
inline constexpr size_t kAggregateFieldsMax = 64;
// Longest word that a words or sentiment step takes (bytes); longer runs of letters are no words.
inline constexpr size_t kWordBytesMax = 200;
// Different tickers that one text mentions; further ones are passed over.
inline constexpr size_t kTickersPerEventMax = 50;
// Nodes of a pipeline file's YAML after aliases are followed, and their depth.
inline constexpr size_t kPipelineNodesMax = 10'000;
inline constexpr size_t kPipelineDepthMax = 50;
// Problems of a pipeline file that one answer lists.
inline constexpr size_t kPipelineProblemsMax = 50;
// An event whose time is further in the future than this is skipped (milliseconds).
inline constexpr int64_t kFutureSkewMaxMs = 86'400'000;
// Lines of bad input that a summary shows in full; the rest is only counted.
inline constexpr int64_t kBadLinesShownMax = 10;
// Files of one directory that a batch run reads, and levels of folders below it.
inline constexpr size_t kInputFilesMax = 100'000;
inline constexpr int kInputFolderDepthMax = 32;
// Columns of a CSV file.
inline constexpr size_t kCsvColumnsMax = 1'000;
// Bytes that arrived from a URL and were not read yet, and the time without any before it is given up (seconds).
inline constexpr size_t kInputUrlBufferBytesMax = 1u << 20;
inline constexpr int kInputUrlStallSeconds = 30;

// Query service and gateway.
// Deadline that a query gets when its caller asks for none or for more (milliseconds).
inline constexpr int64_t kQueryDeadlineMsMax = 5'000;
// Queries being answered or waiting for a thread, per worker; the next one is refused with RESOURCE_EXHAUSTED.
inline constexpr size_t kQueriesInFlightMax = 256;
// Open streams (subscriptions and routing watches) per worker.
inline constexpr size_t kQueryStreamsMax = 1'000;
// Largest gRPC request, and largest answer that is built (bytes); a page ends early below it.
inline constexpr size_t kQueryMessageBytesMax = 4u << 20;
inline constexpr size_t kQueryAnswerBytesMax = 3u << 20;
// Windows of one key in one answer.
inline constexpr int kWindowsPerFetchMax = 10'000;
// Page sizes of key listings: when none is asked for, and at most.
inline constexpr int kKeyPageSizeDefault = 1'000;
inline constexpr int kKeyPageSizeMax = 10'000;
// Bytes of keys and merged values that one ranking or key listing may hold while it reads.
inline constexpr size_t kRankingBytesMax = 256u << 20;
// Rows visited between two looks at the deadline.
inline constexpr int kRowsPerDeadlineCheck = 1'024;
// Changes of one store kept for its subscribers, in entries and bytes: a subscriber that falls behind by more is ended.
inline constexpr size_t kUpdateRingEntriesMax = 100'000;
inline constexpr size_t kUpdateRingBytesMax = 32u << 20;
// Changes sent to a subscriber in one message, in entries and bytes.
inline constexpr size_t kUpdateBatchMax = 500;
inline constexpr size_t kUpdateBatchBytesMax = 1u << 20;
// Connections to workers that a client keeps.
inline constexpr size_t kWorkerChannelsMax = 256;
// HTTP: open connections, requests being answered, bytes of a request's header, target and body.
inline constexpr size_t kHttpConnectionsMax = 1'024;
inline constexpr size_t kHttpRequestsInFlightMax = 256;
inline constexpr uint32_t kHttpHeaderBytesMax = 16u << 10;
inline constexpr size_t kHttpTargetBytesMax = 8u << 10;
inline constexpr uint64_t kHttpBodyBytesMax = 64u << 10;
// Largest dashboard file that is served (bytes).
inline constexpr size_t kStaticFileBytesMax = 16u << 20;

// Ingest.
// Authors that a generator of posts may have (about 16 bytes of tables each).
inline constexpr int64_t kGeneratedAuthorsMax = 10'000'000;
// Records of one run whose truth is kept in memory (at most about 100 bytes each).
inline constexpr int64_t kTruthRecordsMax = 20'000'000;
// Time that a log may be unreachable before whoever writes to it gives up (milliseconds), and the waits between attempts.
inline constexpr int kLogGiveUpMs = 30'000;
inline constexpr int kLogRetryMs = 20;
inline constexpr int kLogRetryMsMax = 1'000;
// Bytes of lines collected before they are written to a file.
inline constexpr size_t kLineBufferBytesMax = 64u << 10;

}  // namespace tailrace::base::limits
