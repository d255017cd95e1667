#include "embedded/log_engine.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "tailrace/base/clock.h"
#include "tailrace/base/check.h"
#include "tailrace/base/limits.h"

namespace tailrace::kafka::embedded {
namespace {

using base::Reaction;

absl::Status Malformed(std::string_view what) {
  return base::Error(Reaction::kFatal, absl::StatusCode::kDataLoss,
                     absl::StrCat("damaged entry of the kind ", absl::string_view(what.data(), what.size()),
                                  "; restore the directory from a copy or delete it"));
}

bool ValidName(std::string_view name) {
  if (name.empty() || name.size() > 249 || name == "." || name == "..") return false;
  return std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '-';
  });
}

absl::Status NoTopic(std::string_view name) {
  return base::Error(Reaction::kFatal, absl::StatusCode::kNotFound,
                     absl::StrCat("topic ", absl::string_view(name.data(), name.size()),
                                  " does not exist in the embedded log; create it first"));
}

TopicRef MakeTopic(std::string name, StoredTopic stored) {
  auto topic = std::make_shared<Topic>();
  topic->name = std::move(name);
  for (uint32_t i = 0; i < stored.partition_count; ++i) {
    topic->partitions.push_back(std::make_unique<PartitionLog>(LogId{stored.id, i}));
  }
  topic->stored = std::move(stored);
  return topic;
}

}  // namespace

absl::StatusOr<std::unique_ptr<LogEngine>> LogEngine::Open(std::unique_ptr<Storage> storage, const base::Clock& clock) {
  std::unique_ptr<LogEngine> engine(new LogEngine(std::move(storage), clock));
  TAILRACE_RETURN_IF_ERROR(engine->Load());
  return engine;
}

absl::Status LogEngine::Load() {
  std::map<LogId, int64_t> begins;
  bool has_format = false;
  {
    absl::MutexLock lock(&mu_);
    TAILRACE_RETURN_IF_ERROR(storage_->VisitMetadata([&](std::string_view key, std::string_view value) {
      mu_.AssertHeld();
      if (key == FormatKey()) has_format = true;
      return LoadEntry(key, value, begins);
    }));
    TAILRACE_RETURN_IF_ERROR(FindEnds(begins));
    if (has_format) return absl::OkStatus();
    StorageBatch batch;
    batch.metadata.emplace_back(FormatKey(), std::string(1, kFormatVersion));
    return storage_->Apply(batch);
  }
}

absl::Status LogEngine::LoadEntry(std::string_view key, std::string_view value, std::map<LogId, int64_t>& begins) {
  mu_.AssertHeld();
  if (key.empty()) return Malformed("empty");
  const std::string_view rest = key.substr(1);
  switch (static_cast<MetadataKind>(key[0])) {
    case MetadataKind::kFormat:
      if (value.size() == 1 && value[0] == kFormatVersion) return absl::OkStatus();
      return base::UsageError("the directory has a format that this version does not know; use the version that wrote it");
    case MetadataKind::kNextTopic:
      return DecodeU32(value, next_topic_id_) ? absl::OkStatus() : Malformed("topic counter");
    case MetadataKind::kTopic: {
      StoredTopic stored;
      if (!DecodeTopic(value, stored) || stored.partition_count > base::limits::kPartitionsMax) return Malformed("topic");
      topics_[std::string(rest)] = MakeTopic(std::string(rest), std::move(stored));
      return absl::OkStatus();
    }
    case MetadataKind::kLogBegin: {
      LogId log;
      int64_t begin = 0;
      if (!DecodeLogId(rest, log) || !DecodeI64(value, begin)) return Malformed("log begin");
      begins[log] = begin;
      return absl::OkStatus();
    }
    case MetadataKind::kGroupOffset: {
      StoredGroupOffset offset;
      if (!DecodeGroupOffset(rest, value, offset)) return Malformed("group offset");
      groups_[offset.group].offsets[offset.partition] = {offset.offset, std::move(offset.metadata)};
      return absl::OkStatus();
    }
    case MetadataKind::kTransactionalId: {
      int64_t epoch = 0;
      if (!DecodeI64(value, epoch)) return Malformed("transactional id");
      epochs_[std::string(rest)] = epoch;
      return absl::OkStatus();
    }
  }
  return Malformed("unknown");
}

absl::Status LogEngine::FindEnds(const std::map<LogId, int64_t>& begins) {
  mu_.AssertHeld();
  for (auto& [name, topic] : topics_) {
    for (auto& log : topic->partitions) {
      auto begin = begins.find(log->id);
      if (begin != begins.end()) log->begin = begin->second;
      TAILRACE_ASSIGN_OR_RETURN(StoredChunk last, storage_->Last(log->id));
      ChunkInfo info;
      if (last.bytes != nullptr && !ParseChunkInfo(*last.bytes, info)) {
        return base::Annotate(Malformed("chunk"), absl::StrCat(Description(), ", ", name, "-", log->id.partition));
      }
      log->end = std::max<int64_t>(log->begin, last.bytes == nullptr ? 0 : last.base + info.span);
      log->dirty_bytes = base::limits::kLogCompactionBytes;
    }
  }
  return absl::OkStatus();
}

absl::Status LogEngine::CreateTopics(const std::vector<NewTopic>& topics) {
  absl::MutexLock lock(&mu_);
  StorageBatch batch;
  std::vector<TopicRef> made;
  uint32_t next_id = next_topic_id_;
  for (const NewTopic& topic : topics) {
    if (topics_.contains(topic.name)) continue;
    if (std::any_of(made.begin(), made.end(), [&](const TopicRef& m) { return m->name == topic.name; })) continue;
    if (!ValidName(topic.name)) {
      return base::UsageError(absl::StrCat("topic name '", topic.name, "' is not allowed: 1 to 249 of a-z A-Z 0-9 . _ -"));
    }
    if (topic.partition_count < 1 || topic.partition_count > base::limits::kPartitionsMax) {
      return base::UsageError(absl::StrCat("topic ", topic.name, ": ", topic.partition_count, " partitions; allowed are 1 to ",
                                           base::limits::kPartitionsMax));
    }
    StoredTopic stored{next_id++, static_cast<uint32_t>(topic.partition_count), topic.config};
    batch.metadata.emplace_back(TopicKey(topic.name), EncodeTopic(stored));
    made.push_back(MakeTopic(topic.name, std::move(stored)));
  }
  if (made.empty()) return absl::OkStatus();
  batch.metadata.emplace_back(NextTopicKey(), EncodeU32(next_id));
  TAILRACE_RETURN_IF_ERROR(storage_->Apply(batch));
  next_topic_id_ = next_id;
  for (TopicRef& topic : made) topics_[topic->name] = topic;
  return absl::OkStatus();
}

absl::Status LogEngine::DeleteTopics(const std::vector<std::string>& names) {
  {
    absl::MutexLock lock(&mu_);
    for (const std::string& name : names) {
      auto found = topics_.find(name);
      if (found == topics_.end()) return NoTopic(name);
      StorageBatch batch;
      batch.metadata.emplace_back(TopicKey(name), std::nullopt);
      for (const auto& log : found->second->partitions) {
        batch.deletes.push_back({log->id, 0, INT64_MAX});
        batch.metadata.emplace_back(LogBeginKey(log->id), std::nullopt);
      }
      TAILRACE_RETURN_IF_ERROR(storage_->Apply(batch));
      found->second->deleted = true;
      topics_.erase(found);
    }
  }
  NotifyReaders();
  return absl::OkStatus();
}

TopicRef LogEngine::Find(std::string_view name) const {
  absl::ReaderMutexLock lock(&mu_);
  auto found = topics_.find(name);
  return found == topics_.end() ? nullptr : found->second;
}

absl::StatusOr<TopicRef> LogEngine::Require(const base::TopicPartition& partition) const {
  TopicRef topic = Find(partition.topic);
  if (topic == nullptr) return NoTopic(partition.topic);
  const int32_t number = partition.partition.value();
  if (number < 0 || static_cast<size_t>(number) >= topic->partitions.size()) {
    return base::Error(Reaction::kFatal, absl::StatusCode::kNotFound,
                       absl::StrCat("partition ", partition.ToString(), " does not exist: the topic has ",
                                    topic->partitions.size(), " partitions"));
  }
  return topic;
}

std::vector<TopicRef> LogEngine::Topics() const {
  absl::ReaderMutexLock lock(&mu_);
  std::vector<TopicRef> topics;
  for (const auto& [name, topic] : topics_) topics.push_back(topic);
  return topics;
}

absl::Status LogEngine::CheckAppend(const AppendRequest& request) const {
  for (const TopicRef& topic : request.topics) {
    if (topic->deleted) return NoTopic(topic->name);
  }
  if (!request.transactional_id.empty()) {
    TAILRACE_RETURN_IF_ERROR(CheckEpochLocked(request.transactional_id, request.epoch));
  }
  for (const GroupCommit& commit : request.commits) {
    TAILRACE_RETURN_IF_ERROR(CheckGenerationLocked(commit.group, commit.generation));
  }
  return absl::OkStatus();
}

absl::Status LogEngine::Append(AppendRequest& request) {
  {
    absl::MutexLock lock(&mu_);
    TAILRACE_RETURN_IF_ERROR(CheckAppend(request));
    StorageBatch batch;
    batch.puts.reserve(request.chunks.size());
    // Ends move only after the storage has everything, so they are collected first.
    std::map<PartitionLog*, int64_t> ends;
    for (PendingChunk& chunk : request.chunks) {
      ChunkInfo info;
      TAILRACE_CHECK(ParseChunkInfo(*chunk.bytes, info), "a producer made a chunk that cannot be read");
      auto [end, inserted] = ends.try_emplace(chunk.log, chunk.log->end.load());
      chunk.base = end->second;
      end->second += info.span;
      batch.puts.push_back({chunk.log->id, {chunk.base, chunk.bytes}});
    }
    for (const GroupCommit& commit : request.commits) {
      for (const OffsetToCommit& offset : commit.offsets) {
        batch.metadata.emplace_back(GroupOffsetKey(commit.group, offset.partition),
                                    EncodeGroupOffset(offset.offset.value(), offset.metadata));
      }
    }
    if (batch.puts.empty() && batch.metadata.empty()) return absl::OkStatus();
    TAILRACE_RETURN_IF_ERROR(storage_->Apply(batch));
    for (const PendingChunk& chunk : request.chunks) chunk.log->dirty_bytes += static_cast<int64_t>(chunk.bytes->size());
    for (auto& [log, end] : ends) log->end = end;
    for (const GroupCommit& commit : request.commits) {
      Group& group = groups_[commit.group];
      for (const OffsetToCommit& offset : commit.offsets) {
        group.offsets[offset.partition] = {offset.offset.value(), offset.metadata};
      }
    }
  }
  if (waiting_.load() > 0) NotifyReaders();
  return absl::OkStatus();
}

absl::Status LogEngine::Read(const PartitionLog& log, int64_t offset, size_t bytes_max, std::vector<StoredChunk>& out) {
  return storage_->Read(log.id, offset, bytes_max, out);
}

bool LogEngine::WaitForAppend(int timeout_ms, const std::function<bool()>& ready) {
  const int64_t deadline_ms = base::SystemClock().SteadyMs() + timeout_ms;
  absl::MutexLock lock(&wait_mu_);
  // Announced before `ready` is asked: an append that `ready` does not see sees this waiter.
  waiting_.fetch_add(1);
  bool is_ready = ready();
  for (int64_t left_ms = timeout_ms; !is_ready && left_ms > 0; left_ms = deadline_ms - base::SystemClock().SteadyMs()) {
    appended_.WaitWithTimeout(&wait_mu_, absl::Milliseconds(left_ms));
    is_ready = ready();
  }
  waiting_.fetch_sub(1);
  return is_ready;
}

void LogEngine::NotifyReaders() {
  absl::MutexLock lock(&wait_mu_);
  appended_.SignalAll();
}

absl::StatusOr<int64_t> LogEngine::NewEpoch(const std::string& transactional_id) {
  absl::MutexLock lock(&mu_);
  auto found = epochs_.find(transactional_id);
  const int64_t epoch = found == epochs_.end() ? 0 : found->second + 1;
  StorageBatch batch;
  batch.metadata.emplace_back(TransactionalIdKey(transactional_id), EncodeI64(epoch));
  TAILRACE_RETURN_IF_ERROR(storage_->Apply(batch));
  epochs_[transactional_id] = epoch;
  return epoch;
}

absl::Status LogEngine::CheckEpoch(const std::string& transactional_id, int64_t epoch) const {
  absl::ReaderMutexLock lock(&mu_);
  return CheckEpochLocked(transactional_id, epoch);
}

absl::Status LogEngine::CheckEpochLocked(const std::string& transactional_id, int64_t epoch) const {
  auto found = epochs_.find(transactional_id);
  if (found != epochs_.end() && found->second == epoch) return absl::OkStatus();
  return base::Error(Reaction::kTaskMigrated, absl::StatusCode::kAborted,
                     absl::StrCat("transactional id ", transactional_id, ": this producer (epoch ", epoch,
                                  ") was fenced by a newer one; stop its tasks and rejoin"));
}

}  // namespace tailrace::kafka::embedded
