#include "task_state_impl.h"

#include <algorithm>

#include "duplicate_store.h"
#include "expiring_store.h"
#include "key_value_store.h"
#include "session_store.h"
#include "tailrace/base/check.h"
#include "time_ordered_buffer.h"
#include "versioned_store_impl.h"
#include "window_store.h"

namespace tailrace::state {
namespace {

// Layout of a store on disk: version ‖ kind ‖ variant ‖ int64 segment interval (docs/formats.md).
constexpr int8_t kLayoutVersion = 1;

// Written to disk: never renumber.
int8_t LayoutKind(StoreKind kind) {
  switch (kind) {
    case StoreKind::kKeyValue: return 0;
    case StoreKind::kWindow: return 1;
    case StoreKind::kSession: return 2;
    case StoreKind::kVersioned: return 3;
    case StoreKind::kTimeOrderedBuffer: return 4;
  }
  return -1;
}

// Kafka Streams' segment interval.
int64_t SegmentInterval(const StoreSpec& spec) {
  if (spec.kind != StoreKind::kVersioned) return std::max<int64_t>(spec.retention_ms / 2, 60'000);
  return spec.segment_interval_ms > 0 ? spec.segment_interval_ms : VersionSegmentInterval(spec.history_retention_ms);
}

int8_t LayoutVariant(const StoreSpec& spec) {
  return spec.retain_duplicates || (spec.kind == StoreKind::kSession && spec.emits_on_close) ? 1 : 0;
}

std::string EncodeLayout(const StoreSpec& spec) {
  std::string layout;
  base::AppendBigEndian(layout, kLayoutVersion);
  base::AppendBigEndian(layout, LayoutKind(spec.kind));
  base::AppendBigEndian(layout, LayoutVariant(spec));
  base::AppendBigEndian(layout, SegmentInterval(spec));
  return layout;
}

// The segment interval with which the store was created; nullopt when it was created as something else.
std::optional<int64_t> SegmentIntervalOf(std::string_view stored, const StoreSpec& spec) {
  constexpr size_t kHead = 3;
  const std::string expected = EncodeLayout(spec);
  if (stored.size() != expected.size() || stored.substr(0, kHead) != std::string_view(expected).substr(0, kHead)) return std::nullopt;
  const auto interval = base::LoadBigEndian<int64_t>(stored.data() + kHead);
  if (interval <= 0) return std::nullopt;
  return interval;
}

}  // namespace

TaskStateImpl::TaskStateImpl(TaskStateOptions options)
    : options_(std::move(options)), clock_(options_.clock != nullptr ? *options_.clock : base::SystemClock()) {
  name_ = "task " + options_.task.ToString();
  last_flush_ms_ = clock_.SteadyMs();
}

absl::Status TaskStateImpl::OpenDisk(std::vector<std::string>& layouts, std::string& record) {
  RocksdbBackend::Options options;
  options.directory = options_.directory;
  options.identity = "application " + options_.application_id + ", " + name_;
  options.memory = options_.memory;
  for (const StoreSpec& spec : options_.stores) {
    options.stores.push_back(InMemory(spec) ? RocksdbBackend::Options::Store{}
                                            : RocksdbBackend::Options::Store{spec.name, EncodeLayout(spec)});
  }
  auto opened = RocksdbBackend::Open(options, layouts, record);
  if (!opened.ok()) return base::Annotate(opened.status(), name_);
  disk_ = *std::move(opened);
  return absl::OkStatus();
}

absl::Status TaskStateImpl::Initialize() {
  std::vector<std::string> layouts(options_.stores.size());
  std::string bytes;
  if (!options_.directory.empty()) TAILRACE_RETURN_IF_ERROR(OpenDisk(layouts, bytes));
  if (disk_ == nullptr || std::any_of(options_.stores.begin(), options_.stores.end(), [&](const auto& s) { return InMemory(s); })) {
    memory_ = std::make_unique<MemoryBackend>(options_.stores.size());
  }
  TAILRACE_RETURN_IF_ERROR(LoadRecord(bytes));

  auto catalog = std::make_shared<ViewCatalog>();
  for (size_t i = 0; i < options_.stores.size(); ++i) {
    const StoreSpec& spec = options_.stores[i];
    const auto index = static_cast<int32_t>(i);
    for (size_t j = 0; j < i; ++j) TAILRACE_CHECK(options_.stores[j].name != spec.name, "two stores named " + spec.name);
    std::optional<int64_t> interval = SegmentInterval(spec);
    Backend* backend = memory_.get();
    if (!InMemory(spec)) {
      backend = disk_.get();
      interval = SegmentIntervalOf(layouts[i], spec);
      if (!interval.has_value()) {
        return base::Error(base::Reaction::kTaskCorrupted, absl::StatusCode::kFailedPrecondition,
                           name_ + " store " + spec.name + " in " + options_.directory +
                               ": it was created as another kind of store; wipe this directory and restore, or rename the store");
      }
    }
    if (spec.kind == StoreKind::kKeyValue && spec.time_to_live_ms > 0) {
      stores_.push_back(std::make_unique<ExpiringStore>(spec, index, &context_, backend));
    } else if (spec.kind == StoreKind::kKeyValue) {
      stores_.push_back(std::make_unique<KeyValueStoreImpl>(spec, index, &context_, backend));
    } else if (spec.kind == StoreKind::kVersioned) {
      stores_.push_back(std::make_unique<VersionedStoreImpl>(spec, index, *interval, &context_, backend));
    } else if (spec.kind == StoreKind::kSession) {
      stores_.push_back(std::make_unique<SessionStoreImpl>(spec, index, *interval, &context_, backend));
    } else if (spec.kind == StoreKind::kTimeOrderedBuffer) {
      stores_.push_back(std::make_unique<TimeOrderedBufferImpl>(spec, index, &context_, backend));
    } else if (spec.retain_duplicates) {
      stores_.push_back(std::make_unique<DuplicateStore>(spec, index, *interval, &context_, backend));
    } else {
      stores_.push_back(std::make_unique<WindowStoreImpl>(spec, index, &context_, backend));
    }
    stores_.back()->Discard(record_.stores[spec.name]);
    catalog->stores.push_back({spec.name, spec.kind, spec.retain_duplicates, InMemory(spec),
                               spec.kind == StoreKind::kVersioned ? spec.history_retention_ms : Retention::Shown(spec), *interval,
                               spec.time_to_live_ms});
  }
  catalog_ = std::move(catalog);
  absl::MutexLock lock(&mu_);
  Publish();
  return absl::OkStatus();
}

absl::Status TaskStateImpl::LoadRecord(std::string_view bytes) {
  if (!bytes.empty()) {
    std::optional<CommitRecord> record = DecodeCommitRecord(bytes);
    if (!record.has_value()) {
      return base::Error(base::Reaction::kTaskCorrupted, absl::StatusCode::kDataLoss,
                         name_ + " in " + options_.directory +
                             ": its commit record cannot be read by this version; wipe this directory and restore the task");
    }
    record_ = *std::move(record);
  }
  // Stores that the topology no longer has are forgotten; new ones start with nothing known.
  std::map<std::string, StoreMark, std::less<>> marks;
  for (const StoreSpec& spec : options_.stores) {
    marks[spec.name] = InMemory(spec) ? StoreMark{} : record_.stores[spec.name];
    committed_.changelog_offsets.push_back(marks[spec.name].changelog_offset);
  }
  record_.stores = std::move(marks);
  encoded_record_ = EncodeForDisk(record_);
  committed_.position = record_.position;
  committed_.stream_time_ms = record_.stream_time_ms;
  committed_.operator_times_ms = record_.operator_times_ms;
  return absl::OkStatus();
}

std::string TaskStateImpl::EncodeForDisk(const CommitRecord& record) const {
  if (disk_ == nullptr) return {};
  if (memory_ == nullptr) return EncodeCommitRecord(record);
  CommitRecord without = record;
  for (const StoreSpec& spec : options_.stores) {
    if (InMemory(spec)) without.stores.erase(spec.name);
  }
  return EncodeCommitRecord(without);
}

int32_t TaskStateImpl::IndexOf(std::string_view name, StoreKind kind) const {
  for (size_t i = 0; i < options_.stores.size(); ++i) {
    if (options_.stores[i].name == name && options_.stores[i].kind == kind) return static_cast<int32_t>(i);
  }
  TAILRACE_CHECK(false, name_ + " has no store " + std::string(name) + " of this kind");
  return -1;
}

KeyValueStore& TaskStateImpl::key_value(std::string_view name) {
  return static_cast<KeyValueStore&>(store(IndexOf(name, StoreKind::kKeyValue)));
}

WindowStore& TaskStateImpl::window(std::string_view name) {
  return static_cast<WindowStore&>(store(IndexOf(name, StoreKind::kWindow)));
}

VersionedStore& TaskStateImpl::versioned(std::string_view name) {
  return static_cast<VersionedStoreImpl&>(store(IndexOf(name, StoreKind::kVersioned)));
}

SessionStore& TaskStateImpl::session(std::string_view name) {
  return static_cast<SessionStoreImpl&>(store(IndexOf(name, StoreKind::kSession)));
}

TimeOrderedBuffer& TaskStateImpl::time_ordered_buffer(std::string_view name) {
  return static_cast<TimeOrderedBuffer&>(store(IndexOf(name, StoreKind::kTimeOrderedBuffer)));
}

absl::Status TaskStateImpl::Commit(const CommitPoint& point) {
  TAILRACE_CHECK(point.changelog_offsets.empty() || point.changelog_offsets.size() == stores_.size(),
                 name_ + ": a commit point needs an offset per store");
  CommitRecord record;
  record.stream_time_ms = std::max(point.stream_time_ms, record_.stream_time_ms);
  record.position = point.position;
  record.operator_times_ms = point.operator_times_ms;
  if (disk_ != nullptr) disk_batch_ = &disk_->NewBatch();
  if (memory_ != nullptr) memory_batch_ = &memory_->NewBatch();
  bool changed = false;
  for (size_t i = 0; i < stores_.size(); ++i) {
    TaskStore& store = *stores_[i];
    const StoreSpec& spec = options_.stores[i];
    TAILRACE_CHECK(store.core().flushed(), name_ + " store " + spec.name + ": Commit without Flush");
    StoreMark mark = store.mark();
    mark.changelog_offset = record_.stores[spec.name].changelog_offset;
    if (!point.changelog_offsets.empty() && point.changelog_offsets[i] != base::kOffsetUnknown) {
      mark.changelog_offset = point.changelog_offsets[i];
    }
    changed = changed || !store.core().changes().empty() || mark != record_.stores[spec.name];
    record.stores[spec.name] = mark;
    store.AddChanges(BatchOf(spec));
  }
  changed = changed || record.stream_time_ms != record_.stream_time_ms || record.position != record_.position ||
            record.operator_times_ms != record_.operator_times_ms;
  if (!changed) return absl::OkStatus();  // an idle task costs nothing

  absl::Status status = WriteBatches(std::move(record), Durability::kLogged, /*publish=*/true);
  if (!status.ok()) return base::Annotate(status, name_);
  for (size_t i = 0; i < stores_.size(); ++i) {
    TaskStore& store = *stores_[i];
    if (observer_ != nullptr && observer_->Wants(static_cast<int32_t>(i))) {
      store.Notify(*observer_, record_.stores[options_.stores[i].name].changelog_offset);
    }
    store.OnCommitted();
    store.ReleaseExpired();
  }
  TAILRACE_CHECK(context_.uncommitted_bytes == 0, "a committed task has uncommitted bytes");
  ShrinkCaches();
  return absl::OkStatus();
}

absl::Status TaskStateImpl::WriteBatches(CommitRecord record, Durability durability, bool publish) {
  std::string encoded = EncodeForDisk(record);
  if (disk_ != nullptr) {
    TAILRACE_RETURN_IF_ERROR(disk_->Write(encoded, durability));
    written_since_flush_ = true;
  }
  absl::MutexLock lock(&mu_);
  if (memory_ != nullptr) {
    if (!publish && view_ == nullptr) BuildView();  // of what was published, before it changes
    TAILRACE_RETURN_IF_ERROR(memory_->Write(encoded, durability));
  }
  record_ = std::move(record);
  encoded_record_ = std::move(encoded);
  committed_.stream_time_ms = record_.stream_time_ms;
  committed_.position = record_.position;
  committed_.operator_times_ms = record_.operator_times_ms;
  for (size_t i = 0; i < options_.stores.size(); ++i) {
    committed_.changelog_offsets[i] = record_.stores[options_.stores[i].name].changelog_offset;
  }
  if (publish) Publish();
  return absl::OkStatus();
}

void TaskStateImpl::ShrinkCaches() {
  size_t total = 0;
  for (const auto& store : stores_) total += store->cache_bytes();
  if (total > options_.cache_bytes_max) {
    // Each store may use its equal share, and what the others leave of theirs.
    const size_t share = options_.cache_bytes_max / stores_.size();
    for (const auto& store : stores_) {
      const size_t mine = store->cache_bytes();
      const size_t others = total - mine;
      const size_t left = options_.cache_bytes_max > others ? options_.cache_bytes_max - others : 0;
      store->ShrinkCache(std::max(share, left));
      total = others + store->cache_bytes();
    }
  }
  context_.pool.Trim(options_.cache_bytes_max);
}

void TaskStateImpl::DiscardUncommitted() {
  for (size_t i = 0; i < stores_.size(); ++i) stores_[i]->Discard(record_.stores[options_.stores[i].name]);
  TAILRACE_CHECK(context_.uncommitted_bytes == 0, "a discarded task has uncommitted bytes");
}

absl::Status TaskStateImpl::ApplyChangelog(int32_t store, std::span<const ChangelogRecord> records, base::Offset last_offset) {
  TaskStore& target = *stores_.at(static_cast<size_t>(store));
  const StoreSpec& spec = options_.stores[static_cast<size_t>(store)];
  TAILRACE_CHECK(target.core().changes().empty(), name_ + " store " + spec.name + ": restore over uncommitted changes");
  // A versioned store reads what it has while it restores, which a load in the making does not show.
  const Durability durability = spec.kind == StoreKind::kVersioned ? Durability::kLogged : Durability::kDeferred;
  if (disk_ != nullptr) disk_batch_ = durability == Durability::kLogged ? &disk_->NewBatch() : &disk_->NewLoad();
  if (memory_ != nullptr) memory_batch_ = &memory_->NewBatch();
  BackendBatch& batch = BatchOf(spec);
  const StoreMark before = target.mark();
  absl::Status status = target.AddChangelog(records, batch);
  if (status.ok()) {
    CommitRecord record = record_;
    StoreMark mark = target.mark();
    mark.changelog_offset = last_offset;
    record.stores[spec.name] = mark;
    status = WriteBatches(std::move(record), durability, /*publish=*/false);
  }
  if (!status.ok()) {
    if (disk_ != nullptr && durability == Durability::kDeferred) disk_->DropLoad();
    target.Discard(before);
    return base::Annotate(status, name_ + " store " + spec.name);
  }
  target.OnCommitted();
  target.Discard(target.mark());  // cached entries may be older than what was restored
  return absl::OkStatus();
}

void TaskStateImpl::PublishView() {
  // When the disk refuses what restore has staged, the earlier view stays; the next write reports the error.
  if (disk_ != nullptr && !disk_->Settle().ok()) return;
  absl::MutexLock lock(&mu_);
  Publish();
}

void TaskStateImpl::Publish() {
  view_.reset();
  auto record = std::make_shared<CommitRecord>(record_);
  // A store that was restored elsewhere has no time of its own yet: what has outlived its time is not shown again.
  record->stream_time_ms = std::max(record->stream_time_ms, context_.time.stream_time_ms);
  published_ = std::move(record);
  if (disk_ != nullptr) disk_snapshot_ = disk_->Snapshot();
}

void TaskStateImpl::BuildView() const {
  view_ = std::make_shared<TaskView>(catalog_, published_, disk_snapshot_, memory_ == nullptr ? nullptr : memory_->Snapshot());
}

std::shared_ptr<const ReadView> TaskStateImpl::CurrentView() const {
  absl::MutexLock lock(&mu_);
  if (view_ == nullptr) BuildView();
  return view_;
}

absl::Status TaskStateImpl::MaybeFlush() {
  const int64_t now = clock_.SteadyMs();
  if (disk_ == nullptr || now - last_flush_ms_ < options_.flush_interval_ms) return absl::OkStatus();
  last_flush_ms_ = now;
  if (!written_since_flush_) return absl::OkStatus();
  absl::Status status = disk_->Flush();
  if (!status.ok()) return base::Annotate(status, name_);
  written_since_flush_ = false;
  return absl::OkStatus();
}

}  // namespace tailrace::state
