// The bounds of connectors, each with its unit, as in limits.h. They have a header of their own since few files need them.
#pragma once

#include <cstddef>
#include <cstdint>

namespace tailrace::base::limits {

// Records on disk that the log has not taken: bytes of one file, and of all when nothing else is configured.
inline constexpr int64_t kSpillSegmentBytesMax = 16 << 20;
inline constexpr int64_t kSpillBytesDefault = 1 << 30;
// Spilled records that are under way to the log at once, in records and bytes.
inline constexpr size_t kSpillBatchRecordsMax = 10'000;
inline constexpr size_t kSpillBatchBytesMax = 4u << 20;
// Bytes of one answer of a source's REST interface, pages of one history, and entries of one configured list (rules,
// symbols, boxes).
inline constexpr size_t kSourceAnswerBytesMax = 32u << 20;
inline constexpr int kSourcePagesMax = 1'000;
inline constexpr size_t kSourceListMax = 1'000;
// Posts of a stream whose ids are remembered, to tell what a resumed stream repeats (about 40 bytes each).
inline constexpr size_t kSeenPostsMax = 500'000;
// Users and tickers that one connector keeps up to date.
inline constexpr size_t kKnownRequestsMax = 100'000;
// Export: bytes and age (milliseconds) at which a file is finished when nothing else is asked for, and the most bytes that may be
// asked for. A file is made in memory, so that sending it can be repeated.
inline constexpr int64_t kExportFileBytesDefault = 64 << 20;
inline constexpr int64_t kExportFileBytesMax = 256 << 20;
inline constexpr int64_t kExportFileMsDefault = 300'000;
// Memory of all files in the making; above it the largest is finished early.
inline constexpr size_t kExportMemoryBytesMax = 512u << 20;
// Waits between attempts at a target that does not answer or refuses for now, and the time after which the export gives up
// (milliseconds).
inline constexpr int64_t kExportRetryMs = 1'000;
inline constexpr int64_t kExportRetryMsMax = 30'000;
inline constexpr int64_t kExportGiveUpMs = 600'000;
// Time between two looks for partitions that were added to a topic that is followed (milliseconds).
inline constexpr int64_t kExportTopicCheckMs = 60'000;
// How long before now generated records begin at most, in milliseconds (365 days).
inline constexpr int64_t kGeneratedHistoryMsMax = 31'536'000'000;

}  // namespace tailrace::base::limits
