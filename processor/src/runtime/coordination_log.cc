#include "runtime/coordination_log.h"

#include "absl/strings/str_cat.h"
#include "tailrace/base/clock.h"
#include "tailrace/base/log.h"

namespace tailrace::processor {
namespace {

constexpr int kFenceTimeoutMs = 5'000;
// A member's record that does not arrive in time is written again; also the last one of a process that closes waits this long.
constexpr int kMemberTimeoutMs = 2'000;
// How often it is asked whether the topic is still the same one, and how long the answer may take.
constexpr int64_t kTopicCheckMs = 5'000;
constexpr int kTopicCheckTimeoutMs = 500;

class LocalCoordinationLog final : public CoordinationLog {
 public:
  absl::StatusOr<bool> Poll() override { return std::exchange(changed_, false); }
  absl::Status ReadToEnd(int) override { return absl::OkStatus(); }
  const CoordinationPicture& picture() const override { return picture_; }
  absl::Status WriteMember(const MemberRecord& record) override {
    changed_ |= picture_.Apply(absl::StrCat("member/", record.instance), EncodeMember(record));
    return absl::OkStatus();
  }
  absl::Status BecomeLeader() override { return absl::OkStatus(); }
  absl::Status WriteAssignment(const AssignmentRecord& record) override {
    changed_ |= picture_.Apply(kAssignmentKey, EncodeAssignment(record));
    return absl::OkStatus();
  }
  void StopLeading() override {}

 private:
  CoordinationPicture picture_;
  bool changed_ = false;
};

class CoordinationTopic final : public CoordinationLog {
 public:
  CoordinationTopic(kafka::Cluster& cluster, const RuntimeOptions& options)
      : cluster_(cluster), options_(options), topic_(options.coordination_topic()) {}

  absl::Status Open() {
    TAILRACE_ASSIGN_OR_RETURN(consumer_, cluster_.NewConsumer({.client_id = options_.client_id + "-coordination-consumer",
                                                               .read_committed = true}));
    TAILRACE_RETURN_IF_ERROR(CheckTopic(changed_));
    TAILRACE_RETURN_IF_ERROR(consumer_->Assign({{partition(), base::kOffsetBeginning}}));
    TAILRACE_ASSIGN_OR_RETURN(end_consumer_, cluster_.NewConsumer({.client_id = options_.client_id + "-coordination-offsets",
                                                                   .read_committed = true}));
    return OpenMemberProducer();
  }

  absl::StatusOr<bool> Poll() override {
    bool changed = false;
    TAILRACE_RETURN_IF_ERROR(CheckTopic(changed));
    TAILRACE_RETURN_IF_ERROR(PollOnce(0, changed));
    return std::exchange(changed_, false) || changed;
  }

  absl::Status ReadToEnd(int timeout_ms) override {
    const base::Clock& clock = base::SystemClock();
    const int64_t deadline_ms = clock.SteadyMs() + timeout_ms;
    TAILRACE_ASSIGN_OR_RETURN(const kafka::OffsetRange range, end_consumer_->QueryOffsets(partition(), timeout_ms));
    while (range.end > range.begin && consumer_->Position(0) < range.end) {
      if (clock.SteadyMs() >= deadline_ms)
        return base::Error(base::Reaction::kRetry, absl::StatusCode::kDeadlineExceeded,
                           absl::StrCat("coordination topic ", topic_, ": offset ", range.end.value(),
                                        " was not reached in ", timeout_ms, " ms"));
      TAILRACE_RETURN_IF_ERROR(PollOnce(20, changed_));
    }
    return absl::OkStatus();
  }

  const CoordinationPicture& picture() const override { return picture_; }

  absl::Status WriteMember(const MemberRecord& record) override {
    if (member_producer_ == nullptr) {
      // A new producer looks for its topic with more patience than the last record of a process that closes may have.
      TAILRACE_RETURN_IF_ERROR(cluster_.admin().DescribeTopic(topic_, kMemberTimeoutMs).status());
      TAILRACE_RETURN_IF_ERROR(OpenMemberProducer());
    }
    const std::string key = absl::StrCat("member/", record.instance);
    const std::string value = EncodeMember(record);
    absl::Status status = member_producer_->Send({.topic = member_topic_,
                                                  .partition = base::Partition(0),
                                                  .key = key,
                                                  .value = value,
                                                  .timestamp_ms = base::SystemClock().WallMs()});
    if (status.ok()) status = member_producer_->Flush(kMemberTimeoutMs);
    // A failed delivery sticks to its producer; the record is written again by a new one.
    if (!status.ok()) member_producer_.reset();
    return status;
  }

  absl::Status BecomeLeader() override {
    leader_producer_.reset();
    TAILRACE_ASSIGN_OR_RETURN(auto producer,
                              cluster_.NewProducer({.client_id = options_.client_id + "-leader-producer",
                                                    .transactional_id = options_.application_id + "-leader",
                                                    .transaction_timeout_ms = options_.transaction_timeout_ms}));
    TAILRACE_RETURN_IF_ERROR(producer->InitTransactions(kFenceTimeoutMs));
    TAILRACE_ASSIGN_OR_RETURN(leader_topic_, producer->Topic(topic_));
    leader_producer_ = std::move(producer);
    return absl::OkStatus();
  }

  absl::Status WriteAssignment(const AssignmentRecord& record) override {
    if (leader_producer_ == nullptr)
      return base::Error(base::Reaction::kRetry, absl::StatusCode::kUnavailable, "this process is not the leader yet");
    const std::string value = EncodeAssignment(record);
    absl::Status status = leader_producer_->BeginTransaction();
    if (status.ok())
      status = leader_producer_->Send({.topic = leader_topic_,
                                       .partition = base::Partition(0),
                                       .key = kAssignmentKey,
                                       .value = value,
                                       .timestamp_ms = base::SystemClock().WallMs()});
    if (status.ok()) status = leader_producer_->CommitTransaction();
    // Whatever went wrong, the producer is not used again: the next attempt fences, reads to the end and decides anew.
    if (!status.ok()) leader_producer_.reset();
    return status;
  }

  void StopLeading() override { leader_producer_.reset(); }

 private:
  base::TopicPartition partition() const { return {topic_, base::Partition(0)}; }

  absl::Status OpenMemberProducer() {
    TAILRACE_ASSIGN_OR_RETURN(auto producer, cluster_.NewProducer({.client_id = options_.client_id + "-coordination-producer"}));
    TAILRACE_ASSIGN_OR_RETURN(member_topic_, producer->Topic(topic_));
    member_producer_ = std::move(producer);
    return absl::OkStatus();
  }

  // Members write their records again; the leader assigns anew.
  absl::Status BeginAnew(const std::string& why, bool& changed) {
    base::LogWarning("coordinator", "coordination topic was recreated", {{"topic", topic_}, {"reason", why}});
    picture_ = {};
    changed = true;
    return consumer_->Assign({{partition(), base::kOffsetBeginning}});
  }

  // A topic that was made again and has grown past this reader's position looks like the one before. Trouble with the question
  // is no news: reading says what is wrong.
  absl::Status CheckTopic(bool& changed) {
    const int64_t now_ms = base::SystemClock().SteadyMs();
    if (now_ms < check_topic_ms_) return absl::OkStatus();
    check_topic_ms_ = now_ms + kTopicCheckMs;
    const auto topic = cluster_.admin().DescribeTopic(topic_, kTopicCheckTimeoutMs);
    if (!topic.ok() || !topic->has_value()) return absl::OkStatus();
    const std::string before = std::exchange(topic_id_, (*topic)->id);
    if (before.empty() || before == topic_id_) return absl::OkStatus();
    return BeginAnew("it has another id", changed);
  }

  absl::Status PollOnce(int timeout_ms, bool& changed) {
    absl::Status status = consumer_->Poll(batch_, timeout_ms);
    if (!status.ok() && base::ReactionOf(status) == base::Reaction::kTaskCorrupted) {
      topic_id_.clear();
      return BeginAnew(std::string(status.message()), changed);
    }
    TAILRACE_RETURN_IF_ERROR(status);
    for (const kafka::RecordView& record : batch_.records()) {
      if (record.key.is_null()) continue;
      changed |= picture_.Apply(record.key.view(), record.value.is_null()
                                                       ? std::nullopt
                                                       : std::optional<std::string_view>(record.value.view()));
    }
    return absl::OkStatus();
  }

  kafka::Cluster& cluster_;
  const RuntimeOptions& options_;
  const std::string topic_;
  std::unique_ptr<kafka::Consumer> consumer_;
  std::unique_ptr<kafka::Consumer> end_consumer_;  // reads nothing: a question never meets fetched records on its way
  kafka::RecordBatch batch_;
  std::string topic_id_;  // empty: not known
  int64_t check_topic_ms_ = 0;
  std::unique_ptr<kafka::Producer> member_producer_;
  kafka::TopicHandle member_topic_ = 0;
  std::unique_ptr<kafka::Producer> leader_producer_;
  kafka::TopicHandle leader_topic_ = 0;
  CoordinationPicture picture_;
  bool changed_ = false;
};

}  // namespace

std::unique_ptr<CoordinationLog> NewLocalCoordinationLog() { return std::make_unique<LocalCoordinationLog>(); }

absl::StatusOr<std::unique_ptr<CoordinationLog>> OpenCoordinationTopic(kafka::Cluster& cluster,
                                                                      const RuntimeOptions& options) {
  auto log = std::make_unique<CoordinationTopic>(cluster, options);
  TAILRACE_RETURN_IF_ERROR(log->Open());
  TAILRACE_RETURN_IF_ERROR(log->ReadToEnd(kFenceTimeoutMs));
  return log;
}

}  // namespace tailrace::processor
