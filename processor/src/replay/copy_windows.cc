#include "replay/copy_windows.h"

#include <algorithm>
#include <vector>

#include "absl/strings/str_cat.h"
#include "runtime/changelog_epoch.h"
#include "tailrace/base/clock.h"
#include "tailrace/state/changelog.h"

namespace tailrace::processor {
namespace {

constexpr int kOffsetTimeoutMs = 10'000;
constexpr int kPollTimeoutMs = 100;
constexpr int kFlushTimeoutMs = 60'000;
// Without a record and without an end for this long, the log is taken to be gone.
constexpr int64_t kSilenceMsMax = 60'000;

class Copier {
 public:
  Copier(const ChangelogCopy& copy, kafka::Consumer& consumer, kafka::Producer& producer)
      : copy_(copy), consumer_(consumer), producer_(producer), epochs_(static_cast<size_t>(copy.partition_count), -1) {}

  absl::StatusOr<int64_t> Run() {
    std::vector<kafka::AssignedPartition> partitions;
    std::vector<base::Offset> ends;
    for (int32_t p = 0; p < copy_.partition_count; ++p) {
      const base::TopicPartition partition{copy_.from, base::Partition(p)};
      TAILRACE_ASSIGN_OR_RETURN(const kafka::OffsetRange range, consumer_.QueryOffsets(partition, kOffsetTimeoutMs));
      partitions.push_back({partition, range.begin});
      ends.push_back(range.end);
      stream_times_ms_.push_back(copy_.stream_time_ms(partition.partition));
    }
    TAILRACE_RETURN_IF_ERROR(consumer_.Assign(std::move(partitions)));
    TAILRACE_ASSIGN_OR_RETURN(topic_, producer_.Topic(copy_.to));
    kafka::RecordBatch batch;
    int64_t heard_ms = base::SystemClock().SteadyMs();
    while (!AtEnds(ends)) {
      const absl::Status status = consumer_.Poll(batch, kPollTimeoutMs);
      if (!status.ok() && base::ReactionOf(status) != base::Reaction::kRetry) return status;
      if (!batch.empty()) heard_ms = base::SystemClock().SteadyMs();
      if (base::SystemClock().SteadyMs() - heard_ms > kSilenceMsMax)
        return absl::UnavailableError(absl::StrCat("copying ", copy_.from, ": no record for ", kSilenceMsMax / 1'000, " s before its end",
                                                   status.ok() ? "" : ": ", status.message()));
      for (const kafka::RecordView& record : batch.records()) {
        if (record.offset >= ends[static_cast<size_t>(record.source)]) continue;
        TAILRACE_RETURN_IF_ERROR(Take(record, batch));
      }
    }
    TAILRACE_RETURN_IF_ERROR(producer_.Flush(kFlushTimeoutMs));
    return copied_;
  }

 private:
  bool AtEnds(const std::vector<base::Offset>& ends) const {
    for (size_t i = 0; i < ends.size(); ++i)
      if (consumer_.Position(static_cast<int32_t>(i)) < ends[i]) return false;
    return true;
  }

  absl::Status Take(const kafka::RecordView& record, const kafka::RecordBatch& batch) {
    const auto partition = static_cast<size_t>(record.source);
    if (record.key.is_null()) return absl::OkStatus();
    // Written by an owner that had already lost the task: restore leaves it out, too.
    const int32_t epoch = EpochOf(batch.HeadersOf(record));
    if (epoch < epochs_[partition]) return absl::OkStatus();
    epochs_[partition] = epoch;
    const std::optional<state::WindowKey> key = state::ParseWindowKey(record.key.view());
    if (!key.has_value())
      return base::Error(base::Reaction::kFatal, absl::StatusCode::kDataLoss,
                         absl::StrCat(copy_.from, "-", record.source, ": the key of record ", record.offset.value(),
                                      " is not that of a window; was the store's kind changed? Use --from earliest"));
    if (!IsClosedAt(copy_.windows, key->window_start_ms, stream_times_ms_[partition])) return absl::OkStatus();
    const int64_t advance_ms = copy_.windows.advance_ms > 0 ? copy_.windows.advance_ms : copy_.windows.size_ms;
    if (key->window_start_ms % advance_ms != 0) return Changed(record, "no window of the store begins at the time of", "windows");
    if (copy_.schema != nullptr && !record.value.is_null() && !copy_.schema->ValueToJson(record.value.view()).has_value())
      return Changed(record, "the store's fields are not those of", "fields");
    ++copied_;
    return producer_.Send({.topic = topic_, .partition = base::Partition(record.source), .key = record.key, .value = record.value,
                           .timestamp_ms = record.timestamp_ms});
  }

  absl::Status Changed(const kafka::RecordView& record, const char* what, const char* of) const {
    return base::Error(base::Reaction::kFatal, absl::StatusCode::kFailedPrecondition,
                       absl::StrCat(what, " record ", record.offset.value(), " of ", copy_.from, "-", record.source, ", which is to be "
                                    "copied: the ", of, " have changed since the live application wrote it; use --from earliest"));
  }

  const ChangelogCopy& copy_;
  kafka::Consumer& consumer_;
  kafka::Producer& producer_;
  kafka::TopicHandle topic_ = 0;
  std::vector<int64_t> stream_times_ms_;
  std::vector<int32_t> epochs_;
  int64_t copied_ = 0;
};

}  // namespace

absl::StatusOr<int64_t> CopyClosedWindows(const ChangelogCopy& copy, kafka::Consumer& consumer, kafka::Producer& producer) {
  return Copier(copy, consumer, producer).Run();
}

}  // namespace tailrace::processor
