// ExportTopic: reads partitions, gathers a file for each, and hands it to the target when it is large or old enough.
#include <algorithm>
#include <memory>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "export/export_file.h"
#include "export/export_rows.h"
#include "export/export_target.h"
#include "export/file_name.h"
#include "tailrace/base/check.h"
#include "tailrace/base/clock.h"
#include "tailrace/base/log.h"
#include "tailrace/ingest/export.h"
#include "topic_lookup.h"

namespace tailrace::ingest {
namespace {

using base::Offset;
using base::Reaction;

constexpr int kCallTimeoutMs = 10'000;
constexpr int kPollMs = 100;
constexpr int64_t kProgressMs = 500;

absl::Status Stopped() { return base::Error(Reaction::kRetry, absl::StatusCode::kCancelled, "stopped"); }

class Export {
 public:
  Export(kafka::Cluster& cluster, const ExportOptions& options, const StopSignal& stop)
      : cluster_(cluster),
        options_(options),
        stop_(stop),
        suffix_(absl::StrCat(options.format == ExportFormat::kCsv ? ".csv" : ".jsonl", options.gzip ? ".gz" : "")),
        rows_(options.format, options.key) {}

  absl::StatusOr<ExportSummary> Run() {
    absl::Status status = Begin();
    if (status.ok()) status = Work();
    summary_.stopped = absl::IsCancelled(status);
    if (!status.ok() && !summary_.stopped) return status;
    return summary_;
  }

 private:
  // A partition and the file that grows from it. No file has `next` yet, the first that is missing; `read` is the next to read.
  struct Part {
    base::TopicPartition partition;
    std::string folder;
    Offset next{0};
    Offset read{0};
    Offset end = base::kOffsetUnknown;  // kOffsetUnknown: none
    Offset last{-1};                    // of the file
    std::unique_ptr<ExportFile> file;   // nullptr: no record yet
    int64_t begun_ms = 0;
    bool done = false;
  };

  absl::Status Begin() {
    TAILRACE_ASSIGN_OR_RETURN(target_, OpenExportTarget(options_.target, options_.ca_file, stop_));
    TAILRACE_ASSIGN_OR_RETURN(const int32_t count, FindTopic(cluster_, options_.topic, kCallTimeoutMs));
    TAILRACE_ASSIGN_OR_RETURN(consumer_, cluster_.NewConsumer({.client_id = "tailrace-export", .read_committed = true}));
    return AddParts(count);
  }

  absl::Status AddParts(int32_t count) {
    for (auto p = static_cast<int32_t>(parts_.size()); p < count; ++p) {
      Part part{.partition = {options_.topic, base::Partition(p)}, .folder = absl::StrCat(options_.topic, "/", p), .file = nullptr};
      TAILRACE_RETURN_IF_ERROR(Resume(part));
      parts_.push_back(std::move(part));
    }
    return Assign();
  }

  // Goes on behind what is at the target.
  absl::Status Resume(Part& part) {
    std::vector<std::string> names;
    TAILRACE_RETURN_IF_ERROR(WithRetries([&] { return target_->Prepare(part.folder); }));
    TAILRACE_RETURN_IF_ERROR(WithRetries([&]() -> absl::Status {
      TAILRACE_ASSIGN_OR_RETURN(names, target_->List(part.folder));
      return absl::OkStatus();
    }));
    std::sort(names.begin(), names.end());
    std::string newest;
    for (const std::string& name : names) {
      if (IsTemporaryName(name)) {
        TAILRACE_RETURN_IF_ERROR(WithRetries([&] { return target_->Delete(part.folder, name); }));
        ++summary_.leftovers;
        base::LogInfo("export", "a half-written file of an earlier export is deleted", {{"folder", part.folder}, {"file", name}});
      }
      const std::optional<OffsetSpan> span = ParseExportFileName(name);
      if (!span) continue;
      if (!newest.empty() && span->first < part.next)
        return Refused(part, absl::StrCat("has files with the same offsets, ", newest, " and ", name,
                                          "; two exports wrote there at once: delete one of them"));
      newest = name;
      part.next = span->last.Next();
    }
    TAILRACE_ASSIGN_OR_RETURN(const kafka::OffsetRange range, consumer_->QueryOffsets(part.partition, kCallTimeoutMs));
    if (part.next > range.end)
      return Refused(part, absl::StrCat("has records up to offset ", part.next.value() - 1, ", but the partition ends at ", range.end.value(),
                                        "; the topic was made anew: export it to another folder, or move this one away"));
    if (!options_.follow) part.end = range.end;
    if (newest.empty()) part.next = range.begin;  // what was deleted before the first export is nobody's loss
    if (part.next < range.begin) Skip(part, range.begin);
    part.read = part.next;
    return absl::OkStatus();
  }

  absl::Status Refused(const Part& part, std::string_view why) const {
    return base::Error(Reaction::kFatal, absl::StatusCode::kFailedPrecondition,
                       absl::StrCat(options_.target, ", folder ", part.folder, ", ", std::string(why)));
  }

  // Records that the topic has deleted before they were exported. REQUIRES: no file in the making.
  void Skip(Part& part, Offset begin) {
    ++summary_.gaps;
    summary_.missing_offsets += begin.value() - part.next.value();
    base::LogWarning("export", "the topic has deleted records before they were exported; a longer retention.ms, or an export that runs "
                     "more often, keeps them", {{"partition", part.partition.ToString()}, {"first", part.next.value()}, {"last", begin.value() - 1}});
    part.next = part.read = begin;
  }

  absl::Status Assign() {
    std::vector<kafka::AssignedPartition> assigned;
    for (const Part& part : parts_) assigned.push_back({part.partition, part.read});
    TAILRACE_RETURN_IF_ERROR(consumer_->Assign(std::move(assigned)));
    for (Part& part : parts_) part.done = false;
    return absl::OkStatus();
  }

  absl::Status Work() {
    const base::Clock& clock = base::SystemClock();
    kafka::RecordBatch batch;
    moved_ms_ = clock.SteadyMs();
    int64_t next_check_ms = moved_ms_ + base::limits::kExportTopicCheckMs;
    for (;;) {
      if (stop_.requested()) return Stopped();
      TAILRACE_RETURN_IF_ERROR(Poll(batch));
      for (const kafka::RecordView& record : batch.records()) TAILRACE_RETURN_IF_ERROR(Take(record));
      const int64_t now_ms = clock.SteadyMs();
      if (!batch.empty()) moved_ms_ = now_ms;
      TAILRACE_ASSIGN_OR_RETURN(const bool done, FinishWhatIsDue(now_ms));
      Tell(now_ms, done);
      if (done) return absl::OkStatus();
      TAILRACE_RETURN_IF_ERROR(LookForTheLog(now_ms));
      if (!options_.follow || now_ms < next_check_ms) continue;
      next_check_ms = now_ms + base::limits::kExportTopicCheckMs;
      batch.Clear();
      TAILRACE_RETURN_IF_ERROR(LookForPartitions());
    }
  }

  absl::Status Poll(kafka::RecordBatch& batch) {
    const absl::Status status = consumer_->Poll(batch, kPollMs);
    if (status.ok()) return status;
    if (base::ReactionOf(status) == Reaction::kRetry) {
      if (log_trouble_.Pass()) base::LogWarning("export", "the log has trouble; it is asked again", {{"reason", status}});
      return stop_.WaitMs(kPollMs) ? Stopped() : absl::OkStatus();
    }
    if (base::ReactionOf(status) != Reaction::kTaskCorrupted) return status;
    // Outside of the log: its beginning has moved past what was to be read next.
    bool skipped = false;
    for (Part& part : parts_) {
      TAILRACE_ASSIGN_OR_RETURN(const kafka::OffsetRange range, consumer_->QueryOffsets(part.partition, kCallTimeoutMs));
      if (range.begin <= part.read) continue;
      TAILRACE_RETURN_IF_ERROR(Publish(part));
      part.next = part.read;
      Skip(part, range.begin);
      skipped = true;
    }
    if (!skipped) return status;
    return Assign();
  }

  absl::Status Take(const kafka::RecordView& record) {
    Part& part = parts_[static_cast<size_t>(record.source)];
    if (part.end != base::kOffsetUnknown && record.offset >= part.end) return absl::OkStatus();
    TAILRACE_CHECK(record.offset >= part.read, "records come in order and once");
    text_.clear();
    const size_t before = part.file == nullptr ? 0 : part.file->memory_bytes();
    if (part.file == nullptr) {
      part.file = std::make_unique<ExportFile>(options_.gzip);
      part.begun_ms = base::SystemClock().SteadyMs();
      rows_.AppendHead(text_);
    }
    rows_.Append(text_, part.partition.partition, record);
    part.file->Append(text_);
    memory_bytes_ += part.file->memory_bytes() - before;
    part.last = record.offset;
    part.read = record.offset.Next();
    ++summary_.records;
    if (static_cast<int64_t>(part.file->bytes()) >= options_.file_bytes) return Publish(part);
    if (memory_bytes_ < base::limits::kExportMemoryBytesMax) return absl::OkStatus();
    const auto size_of = [](const Part& one) { return one.file == nullptr ? 0 : one.file->memory_bytes(); };
    return Publish(*std::max_element(parts_.begin(), parts_.end(), [&](const Part& a, const Part& b) { return size_of(a) < size_of(b); }));
  }

  // Files that are old enough, and those of partitions that are read to their ends; true when that is all.
  absl::StatusOr<bool> FinishWhatIsDue(int64_t now_ms) {
    bool all = true;
    for (size_t i = 0; i < parts_.size(); ++i) {
      Part& part = parts_[i];
      const auto source = static_cast<int32_t>(i);
      const bool at_end = part.end != base::kOffsetUnknown && (part.read >= part.end || consumer_->Position(source) >= part.end);
      if (part.file != nullptr && (at_end || now_ms - part.begun_ms >= options_.file_ms)) TAILRACE_RETURN_IF_ERROR(Publish(part));
      if (at_end && !std::exchange(part.done, true)) TAILRACE_RETURN_IF_ERROR(consumer_->Pause(std::span(&source, 1)));
      all &= at_end;
    }
    return all;
  }

  // The file in the making, if any, to the target.
  absl::Status Publish(Part& part) {
    if (part.file == nullptr) return absl::OkStatus();
    memory_bytes_ -= part.file->memory_bytes();
    const std::string name = ExportFileName({part.next, part.last}, suffix_);
    const std::string& content = part.file->Finish();
    TAILRACE_RETURN_IF_ERROR(WithRetries([&] { return target_->Put(part.folder, name, content); }));
    ++summary_.files;
    summary_.bytes += static_cast<int64_t>(content.size());
    part.file.reset();
    part.next = part.last.Next();
    // The wait for the target is not the log's silence.
    moved_ms_ = base::SystemClock().SteadyMs();
    return absl::OkStatus();
  }

  // Without records and without the end for long the log is asked whether it is there at all.
  absl::Status LookForTheLog(int64_t now_ms) {
    if (options_.follow || now_ms - moved_ms_ < options_.give_up_ms) return absl::OkStatus();
    TAILRACE_RETURN_IF_ERROR(consumer_->QueryOffsets(parts_.front().partition, kCallTimeoutMs).status());
    moved_ms_ = now_ms;
    return absl::OkStatus();
  }

  absl::Status LookForPartitions() {
    const auto found = cluster_.admin().DescribeTopic(options_.topic, kCallTimeoutMs);
    if (!found.ok() && base::ReactionOf(found.status()) == Reaction::kRetry) return absl::OkStatus();  // later
    TAILRACE_RETURN_IF_ERROR(found.status());
    if (!found->has_value() || static_cast<size_t>((*found)->partition_count) <= parts_.size()) return absl::OkStatus();
    return AddParts((*found)->partition_count);
  }

  // Until it is OK, cannot be healed, or was tried for give_up_ms.
  template <class Attempt>
  absl::Status WithRetries(Attempt attempt) {
    const int64_t begin_ms = base::SystemClock().SteadyMs();
    int64_t wait_ms = options_.retry_ms;
    for (;;) {
      const absl::Status status = attempt();
      const bool healable = base::ReactionOf(status) == Reaction::kRetry && !absl::IsCancelled(status) && !absl::IsResourceExhausted(status);
      if (!healable) return status;
      if (base::SystemClock().SteadyMs() - begin_ms + wait_ms > options_.give_up_ms)
        return base::Annotate(status, absl::StrCat("the target has not worked for ", options_.give_up_ms / 1'000,
                                                   " s; run the export again when it does, and it goes on where it was"));
      base::LogWarning("export", "the target does not work; it is tried again", {{"reason", status}, {"wait_ms", wait_ms}});
      if (stop_.WaitMs(wait_ms)) return Stopped();
      wait_ms = std::min(wait_ms * 2, base::limits::kExportRetryMsMax);
    }
  }

  void Tell(int64_t now_ms, bool done) {
    if (!options_.on_progress || (now_ms < next_tell_ms_ && !done)) return;
    next_tell_ms_ = now_ms + kProgressMs;
    ExportProgress progress{.records = summary_.records, .files = summary_.files, .bytes = summary_.bytes};
    for (size_t i = 0; i < parts_.size(); ++i) {
      const Offset end = options_.follow ? consumer_->KnownEnd(static_cast<int32_t>(i)) : parts_[i].end;
      if (end != base::kOffsetUnknown) progress.behind += std::max<int64_t>(0, end.value() - consumer_->Position(static_cast<int32_t>(i)).value());
    }
    options_.on_progress(progress);
  }

  kafka::Cluster& cluster_;
  const ExportOptions& options_;
  const StopSignal& stop_;
  const std::string suffix_;
  const ExportRows rows_;
  ExportSummary summary_;
  std::unique_ptr<ExportTarget> target_;
  std::unique_ptr<kafka::Consumer> consumer_;
  std::vector<Part> parts_;
  std::string text_;
  size_t memory_bytes_ = 0;
  int64_t moved_ms_ = 0;  // when the log gave something last
  int64_t next_tell_ms_ = 0;
  base::LogEveryMs log_trouble_{kCallTimeoutMs};
};

absl::Status CheckOptions(const ExportOptions& options) {
  if (options.file_bytes < 1 || options.file_bytes > base::limits::kExportFileBytesMax)
    return base::UsageError(absl::StrCat("a file has from 1 to ", base::limits::kExportFileBytesMax, " bytes, not ", options.file_bytes));
  if (options.file_ms < 1) return base::UsageError("a file takes records for at least one millisecond");
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<ExportSummary> ExportTopic(kafka::Cluster& cluster, const ExportOptions& options, const StopSignal& stop) {
  TAILRACE_RETURN_IF_ERROR(CheckOptions(options));
  return Export(cluster, options, stop).Run();
}

std::string DescribeExport(const ExportSummary& summary) {
  std::string text = absl::StrCat(summary.records, " records in ", summary.files, " files (", summary.bytes, " bytes)");
  if (summary.leftovers > 0) absl::StrAppend(&text, "; half-written files deleted: ", summary.leftovers);
  if (summary.gaps > 0)
    absl::StrAppend(&text, "; offsets that the topic had deleted before: ", summary.missing_offsets, " in ", summary.gaps, " places");
  if (summary.stopped) text += "; stopped: what is in no file yet is read again by the next export";
  return text + "\n";
}

}  // namespace tailrace::ingest
