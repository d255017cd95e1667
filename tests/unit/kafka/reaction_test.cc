#include "rdkafka/reaction.h"

#include "gtest/gtest.h"

namespace tailrace::kafka::rdkafka {
namespace {

using base::Reaction;

struct Flags {
  bool fatal = false;
  bool retriable = false;
  bool abortable = false;
};
constexpr Flags kNone{};
constexpr Flags kFatalFlag{.fatal = true};
constexpr Flags kRetriable{.retriable = true};
constexpr Flags kAbortable{.abortable = true};

struct Case {
  Phase phase;
  rd_kafka_resp_err_t code;
  Flags flags;
  Reaction expected;
};

ClientError ErrorOf(rd_kafka_resp_err_t code, Flags flags) {
  return {.code = code, .fatal = flags.fatal, .retriable = flags.retriable, .abortable = flags.abortable, .text = {}};
}

const Case kTable[] = {
    // Before the first transaction: ask again, unless the handle is broken.
    {Phase::kInitTransactions, RD_KAFKA_RESP_ERR__TIMED_OUT, kRetriable, Reaction::kRetry},
    {Phase::kInitTransactions, RD_KAFKA_RESP_ERR_CONCURRENT_TRANSACTIONS, kRetriable, Reaction::kRetry},
    {Phase::kInitTransactions, RD_KAFKA_RESP_ERR__FATAL, kFatalFlag, Reaction::kRecreateProducer},
    {Phase::kInitTransactions, RD_KAFKA_RESP_ERR_TRANSACTIONAL_ID_AUTHORIZATION_FAILED, kFatalFlag, Reaction::kFatal},
    {Phase::kInitTransactions, RD_KAFKA_RESP_ERR_INVALID_TRANSACTION_TIMEOUT, kFatalFlag, Reaction::kFatal},
    {Phase::kInitTransactions, RD_KAFKA_RESP_ERR_PRODUCER_FENCED, kFatalFlag, Reaction::kTaskMigrated},
    {Phase::kBeginTransaction, RD_KAFKA_RESP_ERR__STATE, kNone, Reaction::kRecreateProducer},
    {Phase::kBeginTransaction, RD_KAFKA_RESP_ERR__FENCED, kFatalFlag, Reaction::kTaskMigrated},
    // Sending.
    {Phase::kSend, RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE, kNone, Reaction::kSkipRecord},
    {Phase::kSend, RD_KAFKA_RESP_ERR__QUEUE_FULL, kNone, Reaction::kRetry},
    {Phase::kSend, RD_KAFKA_RESP_ERR__STATE, kAbortable, Reaction::kAbortTransaction},
    {Phase::kSend, RD_KAFKA_RESP_ERR__FATAL, kFatalFlag, Reaction::kRecreateProducer},
    {Phase::kSend, RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC, kNone, Reaction::kFatal},
    {Phase::kDelivery, RD_KAFKA_RESP_ERR__MSG_TIMED_OUT, kNone, Reaction::kRecreateProducer},
    {Phase::kDelivery, RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE, kNone, Reaction::kFatal},
    {Phase::kDelivery, RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED, kNone, Reaction::kFatal},
    {Phase::kTransactionalDelivery, RD_KAFKA_RESP_ERR__MSG_TIMED_OUT, kNone, Reaction::kAbortTransaction},
    {Phase::kTransactionalDelivery, RD_KAFKA_RESP_ERR_OUT_OF_ORDER_SEQUENCE_NUMBER, kFatalFlag, Reaction::kRecreateProducer},
    {Phase::kTransactionalDelivery, RD_KAFKA_RESP_ERR_INVALID_PRODUCER_EPOCH, kFatalFlag, Reaction::kTaskMigrated},
    // Offsets in a transaction.
    {Phase::kSendOffsets, RD_KAFKA_RESP_ERR_ILLEGAL_GENERATION, kAbortable, Reaction::kAbortTransaction},
    {Phase::kSendOffsets, RD_KAFKA_RESP_ERR_UNKNOWN_MEMBER_ID, kAbortable, Reaction::kAbortTransaction},
    {Phase::kSendOffsets, RD_KAFKA_RESP_ERR_FENCED_INSTANCE_ID, kNone, Reaction::kAbortTransaction},
    {Phase::kSendOffsets, RD_KAFKA_RESP_ERR__TIMED_OUT, kRetriable, Reaction::kRetry},
    {Phase::kSendOffsets, RD_KAFKA_RESP_ERR_PRODUCER_FENCED, kFatalFlag, Reaction::kTaskMigrated},
    {Phase::kSendOffsets, RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED, kAbortable, Reaction::kFatal},
    // Commit: definite failures abort, anything else ends the handle, even when the client offers to try again.
    {Phase::kCommit, RD_KAFKA_RESP_ERR__TIMED_OUT, kRetriable, Reaction::kRecreateProducer},
    {Phase::kCommit, RD_KAFKA_RESP_ERR__TIMED_OUT, kAbortable, Reaction::kRecreateProducer},
    {Phase::kCommit, RD_KAFKA_RESP_ERR__TRANSPORT, kRetriable, Reaction::kRecreateProducer},
    {Phase::kCommit, RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN, kRetriable, Reaction::kRecreateProducer},
    {Phase::kCommit, RD_KAFKA_RESP_ERR_REQUEST_TIMED_OUT, kRetriable, Reaction::kRecreateProducer},
    {Phase::kCommit, RD_KAFKA_RESP_ERR_COORDINATOR_NOT_AVAILABLE, kRetriable, Reaction::kRecreateProducer},
    {Phase::kCommit, RD_KAFKA_RESP_ERR__STATE, kNone, Reaction::kRecreateProducer},
    {Phase::kCommit, RD_KAFKA_RESP_ERR_INVALID_TXN_STATE, kFatalFlag, Reaction::kRecreateProducer},
    {Phase::kCommit, RD_KAFKA_RESP_ERR_ILLEGAL_GENERATION, kAbortable, Reaction::kAbortTransaction},
    {Phase::kCommit, RD_KAFKA_RESP_ERR__INCONSISTENT, kAbortable, Reaction::kAbortTransaction},
    {Phase::kCommit, RD_KAFKA_RESP_ERR_PRODUCER_FENCED, kFatalFlag, Reaction::kTaskMigrated},
    {Phase::kCommit, RD_KAFKA_RESP_ERR_INVALID_PRODUCER_EPOCH, kAbortable, Reaction::kTaskMigrated},
    // Abort: only an acknowledged one lets the handle live.
    {Phase::kAbort, RD_KAFKA_RESP_ERR__TIMED_OUT, kRetriable, Reaction::kRecreateProducer},
    {Phase::kAbort, RD_KAFKA_RESP_ERR__STATE, kNone, Reaction::kRecreateProducer},
    {Phase::kAbort, RD_KAFKA_RESP_ERR_INVALID_TXN_STATE, kFatalFlag, Reaction::kRecreateProducer},
    {Phase::kAbort, RD_KAFKA_RESP_ERR__FENCED, kFatalFlag, Reaction::kTaskMigrated},
    // Reading.
    {Phase::kConsume, RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN, kNone, Reaction::kRetry},
    {Phase::kConsume, RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE, kNone, Reaction::kRetry},
    {Phase::kConsume, RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET, kNone, Reaction::kTaskCorrupted},
    {Phase::kConsume, RD_KAFKA_RESP_ERR_OFFSET_OUT_OF_RANGE, kNone, Reaction::kTaskCorrupted},
    {Phase::kConsume, RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED, kNone, Reaction::kFatal},
    {Phase::kConsume, RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART, kNone, Reaction::kFatal},
    {Phase::kConsume, RD_KAFKA_RESP_ERR__AUTHENTICATION, kNone, Reaction::kFatal},
    // The group.
    {Phase::kCommitOffsets, RD_KAFKA_RESP_ERR_ILLEGAL_GENERATION, kNone, Reaction::kTaskMigrated},
    {Phase::kCommitOffsets, RD_KAFKA_RESP_ERR_UNKNOWN_MEMBER_ID, kNone, Reaction::kTaskMigrated},
    {Phase::kCommitOffsets, RD_KAFKA_RESP_ERR_REBALANCE_IN_PROGRESS, kNone, Reaction::kRetry},
    {Phase::kCommitOffsets, RD_KAFKA_RESP_ERR__TIMED_OUT, kNone, Reaction::kRetry},
    {Phase::kCommitOffsets, RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED, kNone, Reaction::kFatal},
    {Phase::kFetchOffsets, RD_KAFKA_RESP_ERR_UNSTABLE_OFFSET_COMMIT, kNone, Reaction::kRetry},
    {Phase::kFetchOffsets, RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION, kNone, Reaction::kFatal},
    {Phase::kMembership, RD_KAFKA_RESP_ERR__MAX_POLL_EXCEEDED, kNone, Reaction::kTaskMigrated},
    {Phase::kMembership, RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN, kNone, Reaction::kRetry},
    // Administration.
    {Phase::kAdmin, RD_KAFKA_RESP_ERR__TIMED_OUT, kNone, Reaction::kRetry},
    {Phase::kAdmin, RD_KAFKA_RESP_ERR_NOT_CONTROLLER, kNone, Reaction::kRetry},
    {Phase::kAdmin, RD_KAFKA_RESP_ERR_INVALID_CONFIG, kNone, Reaction::kFatal},
    {Phase::kAdmin, RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED, kNone, Reaction::kFatal},
};

TEST(ReactionTest, Table) {
  for (const Case& c : kTable) {
    EXPECT_EQ(base::ReactionName(ReactionTo(ErrorOf(c.code, c.flags), c.phase)), base::ReactionName(c.expected))
        << rd_kafka_err2name(c.code) << " in phase " << static_cast<int>(c.phase) << " fatal " << c.flags.fatal << " retriable "
        << c.flags.retriable << " abortable " << c.flags.abortable;
  }
}

// Goal: the rule that protects committed data holds for every code of the client: after a commit or an abort without a
// definite answer the handle is never used again.
TEST(ReactionTest, NoCommitOrAbortIsEverTriedAgain) {
  const rd_kafka_err_desc* descriptions = nullptr;
  size_t count = 0;
  rd_kafka_get_err_descs(&descriptions, &count);
  int checked = 0;
  for (size_t i = 0; i < count; ++i) {
    const rd_kafka_resp_err_t code = descriptions[i].code;
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR || descriptions[i].name == nullptr) continue;
    for (const Flags flags : {kNone, kRetriable, kFatalFlag, kAbortable}) {
      const Reaction commit = ReactionTo(ErrorOf(code, flags), Phase::kCommit);
      const Reaction abort = ReactionTo(ErrorOf(code, flags), Phase::kAbort);
      for (const Reaction reaction : {commit, abort}) {
        EXPECT_NE(reaction, Reaction::kRetry) << descriptions[i].name;
        EXPECT_NE(reaction, Reaction::kSkipRecord) << descriptions[i].name;
        EXPECT_NE(reaction, Reaction::kNone) << descriptions[i].name;
      }
      EXPECT_NE(abort, Reaction::kAbortTransaction) << descriptions[i].name;
      if (!flags.abortable) {
        EXPECT_NE(commit, Reaction::kAbortTransaction) << descriptions[i].name;
      }
      ++checked;
    }
  }
  EXPECT_GT(checked, 400);
}

TEST(ReactionTest, AGroupOfAnotherKindOfClientSaysWhatToWaitFor) {
  const absl::Status status = ToStatus({.code = RD_KAFKA_RESP_ERR_INCONSISTENT_GROUP_PROTOCOL, .text = "JoinGroup failed"},
                                       Phase::kMembership, "group app");
  EXPECT_EQ(base::ReactionOf(status), base::Reaction::kRetry);
  EXPECT_NE(status.message().find("is stopped and its session is over"), absl::string_view::npos) << status;
}

TEST(ReactionTest, TheStatusNamesActionTextAndCode) {
  const absl::Status status = ToStatus({.code = RD_KAFKA_RESP_ERR_ILLEGAL_GENERATION, .abortable = true, .text = {}},
                                       Phase::kSendOffsets, "send offsets");
  EXPECT_EQ(base::ReactionOf(status), Reaction::kAbortTransaction);
  EXPECT_EQ(status.code(), absl::StatusCode::kAborted);
  EXPECT_NE(status.ToString().find("send offsets: "), std::string::npos);
  EXPECT_NE(status.ToString().find("ILLEGAL_GENERATION"), std::string::npos);
  EXPECT_TRUE(TakeError(nullptr, Phase::kCommit, "commit").ok());
}

}  // namespace
}  // namespace tailrace::kafka::rdkafka
