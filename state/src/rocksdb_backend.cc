#include "rocksdb_backend.h"

#include <algorithm>
#include <filesystem>
#include <map>
#include <system_error>

#include <rocksdb/convenience.h>
#include <rocksdb/perf_level.h>
#include <rocksdb/snapshot.h>

#include "commit_record.h"
#include "rocksdb_env.h"
#include "rocksdb_options.h"
#include "rocksdb_status.h"
#include "tailrace/base/check.h"

namespace tailrace::state {
namespace {

// Keys of the metadata column family (docs/formats.md).
constexpr std::string_view kFormatKey = "format";
constexpr std::string_view kIdentityKey = "identity";
constexpr std::string_view kCommitKey = "commit";
constexpr std::string_view kLayoutPrefix = "layout/";
constexpr std::string_view kFormatVersion{"\x01", 1};

rocksdb::Slice ToSlice(std::string_view bytes) { return {bytes.data(), bytes.size()}; }
std::string_view ToView(const rocksdb::Slice& slice) { return {slice.data(), slice.size()}; }

class RocksdbCursor final : public BackendCursor {
 public:
  RocksdbCursor(std::unique_ptr<rocksdb::Iterator> iterator, const std::string& directory)
      : iterator_(std::move(iterator)), directory_(directory) {}
  void Seek(std::string_view key) override { iterator_->Seek(ToSlice(key)); }
  void SeekToLast() override { iterator_->SeekToLast(); }
  void Next() override { iterator_->Next(); }
  bool Valid() const override { return iterator_->Valid(); }
  std::string_view key() const override { return ToView(iterator_->key()); }
  std::string_view value() const override { return ToView(iterator_->value()); }
  absl::Status status() const override {
    const rocksdb::Status status = iterator_->status();
    return status.ok() ? absl::OkStatus() : FromRocksdb(status, "scan", directory_);
  }

 private:
  std::unique_ptr<rocksdb::Iterator> iterator_;
  const std::string& directory_;
};

// Shows nothing but why.
class FailedCursor final : public BackendCursor {
 public:
  explicit FailedCursor(absl::Status status) : status_(std::move(status)) {}
  void Seek(std::string_view) override {}
  void SeekToLast() override {}
  void Next() override {}
  bool Valid() const override { return false; }
  std::string_view key() const override { return {}; }
  std::string_view value() const override { return {}; }
  absl::Status status() const override { return status_; }

 private:
  const absl::Status status_;
};

absl::StatusOr<bool> GetFrom(const RocksdbDatabase& database, const rocksdb::Snapshot* snapshot, int32_t store,
                             std::string_view key, std::string& value) {
  rocksdb::ReadOptions options;
  options.snapshot = snapshot;
  const rocksdb::Status status =
      database.db->Get(options, database.stores[static_cast<size_t>(store)], ToSlice(key), &value);
  if (status.ok()) return true;
  if (status.IsNotFound()) return false;
  return FromRocksdb(status, "read", database.directory);
}

std::unique_ptr<BackendCursor> CursorOn(const RocksdbDatabase& database, const rocksdb::Snapshot* snapshot, int32_t store) {
  rocksdb::ReadOptions options;
  options.snapshot = snapshot;
  return std::make_unique<RocksdbCursor>(
      std::unique_ptr<rocksdb::Iterator>(database.db->NewIterator(options, database.stores[static_cast<size_t>(store)])),
      database.directory);
}

class RocksdbSnapshot final : public BackendReader {
 public:
  explicit RocksdbSnapshot(std::shared_ptr<RocksdbDatabase> database)
      : database_(std::move(database)), snapshot_(database_->db->GetSnapshot()) {
    ++database_->live_snapshots;
  }
  ~RocksdbSnapshot() override {
    database_->db->ReleaseSnapshot(snapshot_);
    --database_->live_snapshots;
  }
  absl::StatusOr<bool> Get(int32_t store, std::string_view key, std::string& value) const override {
    return GetFrom(*database_, snapshot_, store, key, value);
  }
  std::unique_ptr<BackendCursor> NewCursor(int32_t store) const override { return CursorOn(*database_, snapshot_, store); }

 private:
  std::shared_ptr<RocksdbDatabase> database_;  // shared with the backend: keeps the database open
  const rocksdb::Snapshot* snapshot_;
};

absl::Status Corrupted(std::string_view message) {
  return base::Error(base::Reaction::kTaskCorrupted, absl::StatusCode::kFailedPrecondition, message);
}

// A database whose CURRENT file is gone would be created anew over the remains.
absl::Status CheckNotHalfDeleted(const std::string& directory) {
  std::error_code error;
  if (std::filesystem::exists(directory + "/CURRENT", error)) return absl::OkStatus();
  for (const auto& file : std::filesystem::directory_iterator(directory, error)) {
    const std::string name = file.path().filename().string();
    if (name.ends_with(".sst") || name.starts_with("MANIFEST")) {
      return Corrupted("open " + directory + ": the file CURRENT is missing; wipe this directory and restore the task");
    }
  }
  return absl::OkStatus();
}

// Reads one metadata entry; empty when there is none.
absl::StatusOr<std::string> GetMetadata(const RocksdbDatabase& database, std::string_view key) {
  std::string value;
  const rocksdb::Status status = database.db->Get({}, database.metadata, ToSlice(key), &value);
  if (!status.ok() && !status.IsNotFound()) return FromRocksdb(status, "open", database.directory);
  return value;
}

constexpr std::string_view kFamilyPrefix = "store/";

absl::Status CreateFolder(const std::string& directory) {
  std::error_code error;
  std::filesystem::create_directories(directory, error);
  if (!error) return absl::OkStatus();
  return base::Error(base::Reaction::kRetry, absl::StatusCode::kUnavailable,
                     "create " + directory + ": " + error.message() + "; check state.dir and its permissions");
}

// Opens the database with every family it has, keyed by name.
absl::Status OpenFamilies(RocksdbMemory& memory, RocksdbDatabase& database,
                          std::map<std::string, rocksdb::ColumnFamilyHandle*>& families) {
  rocksdb::DBOptions options = DatabaseOptions(memory);
  const auto stalls = std::make_shared<WriteStalls>();
  options.listeners.push_back(stalls);
  std::vector<std::string> names;
  std::error_code error;
  if (std::filesystem::exists(database.directory + "/CURRENT", error)) {
    const rocksdb::Status status = rocksdb::DB::ListColumnFamilies(options, database.directory, &names);
    if (!status.ok()) return FromRocksdb(status, "open", database.directory);
  } else {
    names.push_back(rocksdb::kDefaultColumnFamilyName);
  }
  const rocksdb::ColumnFamilyOptions store_options = StoreFamilyOptions(memory);
  std::vector<rocksdb::ColumnFamilyDescriptor> descriptors;
  for (const std::string& name : names) {
    const bool metadata = name == rocksdb::kDefaultColumnFamilyName;
    descriptors.emplace_back(name, metadata ? MetadataFamilyOptions(memory) : store_options);
  }
  std::vector<rocksdb::ColumnFamilyHandle*> handles;
  rocksdb::DB* db = nullptr;
  const rocksdb::Status status = rocksdb::DB::Open(options, database.directory, descriptors, &handles, &db);
  if (!status.ok()) return FromRocksdb(status, "open", database.directory);
  database.db.reset(db);
  memory.use().Add(db, stalls);
  for (size_t i = 0; i < names.size(); ++i) {
    (names[i] == rocksdb::kDefaultColumnFamilyName ? database.metadata : families[names[i]]) = handles[i];
  }
  return absl::OkStatus();
}

// Drops families that no store of the topology uses (any more), and those whose creation or removal was interrupted: they
// have no layout entry. First their offsets and layouts go in one write, so that no offset outlives its data.
absl::Status DropUnusedFamilies(const RocksdbBackend::Options& options, RocksdbDatabase& database, std::string& commit_record,
                                std::map<std::string, rocksdb::ColumnFamilyHandle*>& families) {
  std::vector<std::string> unused;
  for (const auto& [family, handle] : families) {
    if (!family.starts_with(kFamilyPrefix)) {
      return Corrupted("open " + database.directory + ": column family " + family + " is not of this program; check state.dir");
    }
    const std::string name = family.substr(kFamilyPrefix.size());
    TAILRACE_ASSIGN_OR_RETURN(const std::string layout, GetMetadata(database, std::string(kLayoutPrefix) + name));
    const bool used = std::any_of(options.stores.begin(), options.stores.end(), [&](const auto& store) { return store.name == name; });
    if (!used || layout.empty()) unused.push_back(name);
  }
  if (unused.empty()) return absl::OkStatus();
  rocksdb::WriteBatch batch;
  if (std::optional<CommitRecord> record = DecodeCommitRecord(commit_record); record.has_value()) {
    for (const std::string& name : unused) record->stores.erase(name);
    commit_record = EncodeCommitRecord(*record);
    batch.Put(database.metadata, ToSlice(kCommitKey), commit_record).PermitUncheckedError();
  }
  for (const std::string& name : unused) {
    batch.Delete(database.metadata, std::string(kLayoutPrefix) + name).PermitUncheckedError();
  }
  rocksdb::Status status = database.db->Write({}, &batch);
  for (const std::string& name : unused) {
    const auto it = families.find(std::string(kFamilyPrefix) + name);
    if (status.ok()) status = database.db->DropColumnFamily(it->second);
    if (!status.ok()) return FromRocksdb(status, "drop store " + name, database.directory);
    database.db->DestroyColumnFamilyHandle(it->second).PermitUncheckedError();
    families.erase(it);
  }
  return absl::OkStatus();
}

// Finds or creates the family of each store, and the layout with which it was created.
absl::Status AssignFamilies(const RocksdbBackend::Options& options, const RocksdbMemory& memory, RocksdbDatabase& database,
                            std::map<std::string, rocksdb::ColumnFamilyHandle*>& families,
                            std::vector<std::string>& stored_layouts) {
  stored_layouts.assign(options.stores.size(), {});
  database.stores.assign(options.stores.size(), nullptr);
  std::vector<size_t> missing;
  std::vector<std::string> missing_names;
  for (size_t i = 0; i < options.stores.size(); ++i) {
    const std::string& name = options.stores[i].name;
    if (name.empty()) continue;
    const auto it = families.find(std::string(kFamilyPrefix) + name);
    if (it == families.end()) {
      missing.push_back(i);
      missing_names.push_back(std::string(kFamilyPrefix) + name);
      continue;
    }
    database.stores[i] = it->second;
    TAILRACE_ASSIGN_OR_RETURN(stored_layouts[i], GetMetadata(database, std::string(kLayoutPrefix) + name));
  }
  if (missing.empty()) return absl::OkStatus();
  std::vector<rocksdb::ColumnFamilyHandle*> handles;
  rocksdb::Status status = database.db->CreateColumnFamilies(StoreFamilyOptions(memory), missing_names, &handles);
  rocksdb::WriteBatch batch;
  for (size_t i = 0; i < handles.size(); ++i) {
    const RocksdbBackend::Options::Store& store = options.stores[missing[i]];
    database.stores[missing[i]] = handles[i];
    stored_layouts[missing[i]] = store.layout;
    batch.Put(database.metadata, std::string(kLayoutPrefix) + store.name, store.layout).PermitUncheckedError();
  }
  if (status.ok()) status = database.db->Write({}, &batch);
  return status.ok() ? absl::OkStatus() : FromRocksdb(status, "create stores", database.directory);
}

// Whose database it is, and in which format. A new one is marked.
absl::Status CheckIdentity(const RocksdbBackend::Options& options, RocksdbDatabase& database, std::string_view commit_record) {
  TAILRACE_ASSIGN_OR_RETURN(const std::string format, GetMetadata(database, kFormatKey));
  TAILRACE_ASSIGN_OR_RETURN(const std::string identity, GetMetadata(database, kIdentityKey));
  if (format.empty() && commit_record.empty()) {
    rocksdb::WriteBatch batch;
    batch.Put(database.metadata, ToSlice(kFormatKey), ToSlice(kFormatVersion)).PermitUncheckedError();
    batch.Put(database.metadata, ToSlice(kIdentityKey), options.identity).PermitUncheckedError();
    const rocksdb::Status status = database.db->Write({}, &batch);
    return status.ok() ? absl::OkStatus() : FromRocksdb(status, "create", database.directory);
  }
  if (format != kFormatVersion) {
    const int version = format.empty() ? 0 : static_cast<unsigned char>(format[0]);
    return Corrupted("open " + database.directory + ": format version " + std::to_string(version) +
                     ", this program reads version 1; wipe this directory and restore the task");
  }
  if (identity != options.identity) {
    return Corrupted("open " + database.directory + ": it belongs to " + identity + ", not to " + options.identity +
                     "; check state.dir, or wipe this directory and restore the task");
  }
  return absl::OkStatus();
}

}  // namespace

RocksdbDatabase::~RocksdbDatabase() {
  if (db == nullptr) return;
  memory->use().Remove(db.get());
  TAILRACE_CHECK(live_snapshots.load() == 0, "a snapshot outlives its database");
  for (rocksdb::ColumnFamilyHandle* handle : stores) {
    if (handle != nullptr) db->DestroyColumnFamilyHandle(handle).PermitUncheckedError();
  }
  db->DestroyColumnFamilyHandle(metadata).PermitUncheckedError();
  db->Close().PermitUncheckedError();
}

absl::StatusOr<std::unique_ptr<RocksdbBackend>> RocksdbBackend::Open(const Options& options,
                                                                     std::vector<std::string>& stored_layouts,
                                                                     std::string& commit_record) {
  const auto memory = std::dynamic_pointer_cast<RocksdbMemory>(options.memory);
  TAILRACE_CHECK(memory != nullptr, "a task on disk needs a budget made by MemoryBudget::Create");
  auto database = std::make_shared<RocksdbDatabase>();
  database->directory = options.directory + "/db";
  database->log_debt = LogDebt::Of(database->directory);
  database->memory = memory;
  std::map<std::string, rocksdb::ColumnFamilyHandle*> families;
  // What is still in `families` on an early return has no owner yet.
  auto release = [&](absl::Status status) {
    for (const auto& [name, handle] : families) {
      const bool owned = std::find(database->stores.begin(), database->stores.end(), handle) != database->stores.end();
      if (!owned) database->db->DestroyColumnFamilyHandle(handle).PermitUncheckedError();
    }
    return status;
  };
  TAILRACE_RETURN_IF_ERROR(CreateFolder(database->directory));
  TAILRACE_RETURN_IF_ERROR(CheckNotHalfDeleted(database->directory));
  std::error_code error;
  std::filesystem::remove_all(database->directory + "/load", error);  // files that a crash kept from being taken in
  TAILRACE_RETURN_IF_ERROR(OpenFamilies(*memory, *database, families));
  absl::StatusOr<std::string> record = GetMetadata(*database, kCommitKey);
  if (!record.ok()) return release(record.status());
  commit_record = *std::move(record);
  absl::Status status = CheckIdentity(options, *database, commit_record);
  if (status.ok()) status = DropUnusedFamilies(options, *database, commit_record, families);
  if (status.ok()) status = AssignFamilies(options, *memory, *database, families, stored_layouts);
  if (!status.ok()) return release(std::move(status));
  return std::unique_ptr<RocksdbBackend>(new RocksdbBackend(std::move(database)));
}

absl::Status RocksdbBackend::Error(const rocksdb::Status& status, std::string_view what) const {
  return FromRocksdb(status, what, database_->directory);
}

RocksdbBackend::~RocksdbBackend() {
  // What a standby has applied since it last wrote need not be replayed; a failure only means that it is.
  Settle().IgnoreError();
}

absl::Status RocksdbBackend::ResumeAfterFailure() const {
  if (!failed_) return absl::OkStatus();
  // What the volume has free says nothing about a quota, so something is written before RocksDB, which flushes all, tries.
  rocksdb::Status status = ProbeSpace(database_->directory);
  if (status.ok()) status = database_->log_debt->Pay();
  if (status.ok()) status = database_->db->Resume();
  if (!status.ok()) return Error(status, "resume writing");
  failed_ = false;
  return absl::OkStatus();
}

absl::Status RocksdbBackend::Settle() const {
  if (load_.empty()) return absl::OkStatus();
  TAILRACE_RETURN_IF_ERROR(ResumeAfterFailure());
  absl::Status status = load_.Seal(deferred_writes_);
  if (!status.ok()) failed_ = true;
  return status;
}

absl::StatusOr<bool> RocksdbBackend::Get(int32_t store, std::string_view key, std::string& value) const {
  TAILRACE_RETURN_IF_ERROR(Settle());
  return GetFrom(*database_, nullptr, store, key, value);
}

std::unique_ptr<BackendCursor> RocksdbBackend::NewCursor(int32_t store) const {
  if (absl::Status status = Settle(); !status.ok()) return std::make_unique<FailedCursor>(std::move(status));
  return CursorOn(*database_, nullptr, store);
}

BackendBatch& RocksdbBackend::NewBatch() {
  batch_.batch_.Clear();
  return batch_;
}

BackendBatch& RocksdbBackend::NewLoad() {
  load_.Begin();
  return load_;
}

absl::Status RocksdbBackend::Write(std::string_view commit_record, Durability durability) {
  if (durability == Durability::kDeferred) {
    std::string before = load_.Accept(commit_record);
    if (!load_.full()) return absl::OkStatus();
    absl::Status status = Settle();
    if (!status.ok()) load_.Accept(before);
    return status;
  }
  TAILRACE_RETURN_IF_ERROR(Settle());
  TAILRACE_RETURN_IF_ERROR(ResumeAfterFailure());
  if (deferred_writes_) {
    // The log of this write must not survive without the unlogged writes before it.
    TAILRACE_RETURN_IF_ERROR(FlushFamilies(/*wait=*/true));
    deferred_writes_ = false;
  }
  rocksdb::Status status = batch_.batch_.Put(database_->metadata, ToSlice(kCommitKey), ToSlice(commit_record));
  TAILRACE_CHECK(status.ok(), status.ToString());
  // RocksDB counts every key comparison of this thread, which costs more than comparing.
  rocksdb::SetPerfLevel(rocksdb::PerfLevel::kDisable);
  status = database_->db->Write({}, &batch_.batch_);
  if (status.ok() && database_->log_debt->owed()) status = rocksdb::Status::NoSpace("the write-ahead log waits to be written");
  if (!status.ok()) {
    failed_ = true;
    return Error(status, "commit");
  }
  batch_.batch_.Clear();
  return absl::OkStatus();
}

std::shared_ptr<const BackendReader> RocksdbBackend::Snapshot() { return std::make_shared<RocksdbSnapshot>(database_); }

absl::Status RocksdbBackend::FlushFamilies(bool wait) {
  std::vector<rocksdb::ColumnFamilyHandle*> families{database_->metadata};
  for (rocksdb::ColumnFamilyHandle* handle : database_->stores) {
    if (handle != nullptr) families.push_back(handle);
  }
  rocksdb::FlushOptions options;
  options.wait = wait;
  options.allow_write_stall = true;
  const rocksdb::Status status = database_->db->Flush(options, families);
  if (!status.ok()) {
    failed_ = true;
    return Error(status, "flush");
  }
  return absl::OkStatus();
}

absl::Status RocksdbBackend::Flush() {
  TAILRACE_RETURN_IF_ERROR(Settle());
  return FlushFamilies(/*wait=*/false);
}

void RocksdbBackend::ReleaseBefore(int32_t store, std::string_view to) {
  // A file is removed under every snapshot, so only when none but the newest view exists, which no longer shows the range.
  if (database_->live_snapshots.load() > 1) return;
  const rocksdb::Slice end = ToSlice(to);
  rocksdb::DeleteFilesInRange(database_->db.get(), database_->stores[static_cast<size_t>(store)], nullptr, &end,
                              /*include_end=*/false)
      .PermitUncheckedError();
}

void RocksdbBackend::Batch::Put(int32_t store, std::string_view key1, std::string_view key2, std::string_view value1,
                                std::string_view value2) {
  const rocksdb::Slice key[] = {ToSlice(key1), ToSlice(key2)};
  const rocksdb::Slice value[] = {ToSlice(value1), ToSlice(value2)};
  const rocksdb::Status status = batch_.Put(database_->stores[static_cast<size_t>(store)], rocksdb::SliceParts(key, 2),
                                            rocksdb::SliceParts(value, 2));
  TAILRACE_CHECK(status.ok(), status.ToString());
}

void RocksdbBackend::Batch::Delete(int32_t store, std::string_view key1, std::string_view key2) {
  const rocksdb::Slice key[] = {ToSlice(key1), ToSlice(key2)};
  const rocksdb::Status status = batch_.Delete(database_->stores[static_cast<size_t>(store)], rocksdb::SliceParts(key, 2));
  TAILRACE_CHECK(status.ok(), status.ToString());
}

void RocksdbBackend::Batch::DeleteBefore(int32_t store, std::string_view to) {
  const rocksdb::Status status =
      batch_.DeleteRange(database_->stores[static_cast<size_t>(store)], rocksdb::Slice(), ToSlice(to));
  TAILRACE_CHECK(status.ok(), status.ToString());
}

}  // namespace tailrace::state
