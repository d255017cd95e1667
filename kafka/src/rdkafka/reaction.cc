#include "rdkafka/reaction.h"

#include "absl/strings/str_cat.h"
#include "tailrace/base/check.h"

namespace tailrace::kafka::rdkafka {
namespace {

using base::Reaction;

// The broker or the network did not answer in time: nothing is known about what the request did.
bool IsIndefinite(rd_kafka_resp_err_t code) {
  switch (code) {
    case RD_KAFKA_RESP_ERR__TIMED_OUT:
    case RD_KAFKA_RESP_ERR__TIMED_OUT_QUEUE:
    case RD_KAFKA_RESP_ERR__MSG_TIMED_OUT:
    case RD_KAFKA_RESP_ERR__TRANSPORT:
    case RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN:
    case RD_KAFKA_RESP_ERR__RESOLVE:
    case RD_KAFKA_RESP_ERR__WAIT_COORD:
    case RD_KAFKA_RESP_ERR__IN_PROGRESS:
    case RD_KAFKA_RESP_ERR__PREV_IN_PROGRESS:
    case RD_KAFKA_RESP_ERR_REQUEST_TIMED_OUT:
    case RD_KAFKA_RESP_ERR_NETWORK_EXCEPTION:
      return true;
    default:
      return false;
  }
}

// Cluster states that pass: elections, coordinators that move or load.
bool IsPassing(rd_kafka_resp_err_t code) {
  switch (code) {
    case RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE:
    case RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION:
    case RD_KAFKA_RESP_ERR_BROKER_NOT_AVAILABLE:
    case RD_KAFKA_RESP_ERR_REPLICA_NOT_AVAILABLE:
    case RD_KAFKA_RESP_ERR_COORDINATOR_LOAD_IN_PROGRESS:
    case RD_KAFKA_RESP_ERR_COORDINATOR_NOT_AVAILABLE:
    case RD_KAFKA_RESP_ERR_NOT_COORDINATOR:
    case RD_KAFKA_RESP_ERR_NOT_CONTROLLER:
    case RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS:
    case RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS_AFTER_APPEND:
    case RD_KAFKA_RESP_ERR_CONCURRENT_TRANSACTIONS:
    case RD_KAFKA_RESP_ERR_UNSTABLE_OFFSET_COMMIT:
    case RD_KAFKA_RESP_ERR_OFFSET_NOT_AVAILABLE:
    case RD_KAFKA_RESP_ERR_FENCED_LEADER_EPOCH:
    case RD_KAFKA_RESP_ERR_UNKNOWN_LEADER_EPOCH:
    case RD_KAFKA_RESP_ERR_KAFKA_STORAGE_ERROR:
    case RD_KAFKA_RESP_ERR_THROTTLING_QUOTA_EXCEEDED:
    case RD_KAFKA_RESP_ERR_FETCH_SESSION_ID_NOT_FOUND:
    case RD_KAFKA_RESP_ERR_INVALID_FETCH_SESSION_EPOCH:
    case RD_KAFKA_RESP_ERR_REBALANCE_IN_PROGRESS:
      return true;
    default:
      return false;
  }
}

// A newer producer with the same transactional id is at work.
bool IsProducerFenced(rd_kafka_resp_err_t code) {
  return code == RD_KAFKA_RESP_ERR_PRODUCER_FENCED || code == RD_KAFKA_RESP_ERR_INVALID_PRODUCER_EPOCH ||
         code == RD_KAFKA_RESP_ERR__FENCED;
}

// The group has gone on without this member or this generation.
bool IsStaleMember(rd_kafka_resp_err_t code) {
  return code == RD_KAFKA_RESP_ERR_ILLEGAL_GENERATION || code == RD_KAFKA_RESP_ERR_UNKNOWN_MEMBER_ID ||
         code == RD_KAFKA_RESP_ERR_FENCED_INSTANCE_ID || code == RD_KAFKA_RESP_ERR_FENCED_MEMBER_EPOCH ||
         code == RD_KAFKA_RESP_ERR_STALE_MEMBER_EPOCH;
}

// Only the operator can help.
bool NeedsOperator(rd_kafka_resp_err_t code) {
  switch (code) {
    case RD_KAFKA_RESP_ERR__AUTHENTICATION:
    case RD_KAFKA_RESP_ERR__SSL:
    case RD_KAFKA_RESP_ERR__INVALID_ARG:
    case RD_KAFKA_RESP_ERR__UNSUPPORTED_FEATURE:
    case RD_KAFKA_RESP_ERR__NOT_CONFIGURED:
    case RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC:
    case RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION:
    case RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART:
    case RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_ID:
    case RD_KAFKA_RESP_ERR_TOPIC_EXCEPTION:
    case RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED:
    case RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED:
    case RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED:
    case RD_KAFKA_RESP_ERR_TRANSACTIONAL_ID_AUTHORIZATION_FAILED:
    case RD_KAFKA_RESP_ERR_SASL_AUTHENTICATION_FAILED:
    case RD_KAFKA_RESP_ERR_UNSUPPORTED_SASL_MECHANISM:
    case RD_KAFKA_RESP_ERR_SECURITY_DISABLED:
    case RD_KAFKA_RESP_ERR_UNSUPPORTED_VERSION:
    case RD_KAFKA_RESP_ERR_INVALID_TRANSACTION_TIMEOUT:
    case RD_KAFKA_RESP_ERR_INVALID_REQUIRED_ACKS:
    case RD_KAFKA_RESP_ERR_INVALID_TIMESTAMP:
    case RD_KAFKA_RESP_ERR_INVALID_RECORD:
    case RD_KAFKA_RESP_ERR_POLICY_VIOLATION:
      return true;
    default:
      return false;
  }
}

bool IsTooLarge(rd_kafka_resp_err_t code) {
  return code == RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE || code == RD_KAFKA_RESP_ERR_RECORD_LIST_TOO_LARGE;
}

Reaction ToTransactionError(const ClientError& error, Phase phase) {
  switch (phase) {
    case Phase::kInitTransactions:
      // Nothing has been written under this handle yet, and asking again only asks for another epoch.
      return error.fatal ? Reaction::kRecreateProducer : Reaction::kRetry;
    case Phase::kSendOffsets:
      if (error.abortable || IsStaleMember(error.code)) return Reaction::kAbortTransaction;
      // Sending the same offsets again in the same transaction changes nothing.
      return error.retriable && !error.fatal ? Reaction::kRetry : Reaction::kRecreateProducer;
    case Phase::kCommit:
      if (IsIndefinite(error.code) || error.fatal) return Reaction::kRecreateProducer;
      return error.abortable ? Reaction::kAbortTransaction : Reaction::kRecreateProducer;
    case Phase::kTransactionalDelivery:
      return error.fatal ? Reaction::kRecreateProducer : Reaction::kAbortTransaction;
    default:
      // An abort that is not acknowledged, or a handle in the wrong state.
      return Reaction::kRecreateProducer;
  }
}

}  // namespace

Reaction ReactionTo(const ClientError& error, Phase phase) {
  TAILRACE_CHECK(error.code != RD_KAFKA_RESP_ERR_NO_ERROR, "success needs no reaction");
  if (NeedsOperator(error.code)) return Reaction::kFatal;
  switch (phase) {
    case Phase::kInitTransactions:
    case Phase::kBeginTransaction:
    case Phase::kSendOffsets:
    case Phase::kCommit:
    case Phase::kAbort:
    case Phase::kTransactionalDelivery:
      if (IsProducerFenced(error.code)) return Reaction::kTaskMigrated;
      // A broker that refuses a record refuses it in every transaction.
      if (IsTooLarge(error.code)) return Reaction::kFatal;
      return ToTransactionError(error, phase);
    case Phase::kSend:
      if (IsProducerFenced(error.code)) return Reaction::kTaskMigrated;
      if (IsTooLarge(error.code)) return Reaction::kSkipRecord;
      if (error.code == RD_KAFKA_RESP_ERR__QUEUE_FULL) return Reaction::kRetry;
      return error.abortable ? Reaction::kAbortTransaction : Reaction::kRecreateProducer;
    case Phase::kDelivery:
      if (IsProducerFenced(error.code)) return Reaction::kTaskMigrated;
      return IsTooLarge(error.code) ? Reaction::kFatal : Reaction::kRecreateProducer;
    case Phase::kConsume:
      if (error.code == RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET || error.code == RD_KAFKA_RESP_ERR_OFFSET_OUT_OF_RANGE) {
        return Reaction::kTaskCorrupted;
      }
      return IsIndefinite(error.code) || IsPassing(error.code) || error.retriable ? Reaction::kRetry : Reaction::kFatal;
    case Phase::kCommitOffsets:
    case Phase::kMembership:
      // librdkafka answers a commit outside of any generation with one of the last two.
      if (IsStaleMember(error.code) || error.code == RD_KAFKA_RESP_ERR__MAX_POLL_EXCEEDED ||
          error.code == RD_KAFKA_RESP_ERR__ASSIGNMENT_LOST || error.code == RD_KAFKA_RESP_ERR__FATAL) {
        return Reaction::kTaskMigrated;
      }
      return error.fatal ? Reaction::kFatal : Reaction::kRetry;
    case Phase::kFetchOffsets:
      return error.fatal ? Reaction::kFatal : Reaction::kRetry;
    case Phase::kAdmin:
      return IsIndefinite(error.code) || IsPassing(error.code) || error.retriable ? Reaction::kRetry : Reaction::kFatal;
  }
  return Reaction::kFatal;
}

namespace {

absl::StatusCode CodeOf(const ClientError& error, Reaction reaction) {
  if (error.code == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART || error.code == RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC ||
      error.code == RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION) {
    return absl::StatusCode::kNotFound;
  }
  if (IsIndefinite(error.code) || reaction == Reaction::kRetry) return absl::StatusCode::kUnavailable;
  switch (reaction) {
    case Reaction::kAbortTransaction:
    case Reaction::kTaskMigrated:
      return absl::StatusCode::kAborted;
    case Reaction::kTaskCorrupted:
      return absl::StatusCode::kOutOfRange;
    case Reaction::kSkipRecord:
      return absl::StatusCode::kInvalidArgument;
    default:
      return absl::StatusCode::kInternal;
  }
}

}  // namespace

absl::Status ToStatus(const ClientError& error, Phase phase, std::string_view what) {
  const Reaction reaction = ReactionTo(error, phase);
  const std::string text = error.text.empty() ? rd_kafka_err2str(error.code) : error.text;
  const std::string_view next_step =
      error.code == RD_KAFKA_RESP_ERR_INCONSISTENT_GROUP_PROTOCOL
          ? "; a client of another kind, such as a Kafka Streams application, still has a seat in the group: it is free when that "
            "client is stopped and its session is over"
          : "";
  return base::Error(reaction, CodeOf(error, reaction),
                     absl::StrCat(absl::string_view(what.data(), what.size()), ": ", text, " (", rd_kafka_err2name(error.code), ")",
                                  absl::string_view(next_step.data(), next_step.size())));
}

absl::Status TakeError(rd_kafka_error_t* error, Phase phase, std::string_view what) {
  if (error == nullptr) return absl::OkStatus();
  ClientError copy;
  copy.code = rd_kafka_error_code(error);
  copy.fatal = rd_kafka_error_is_fatal(error) != 0;
  copy.retriable = rd_kafka_error_is_retriable(error) != 0;
  copy.abortable = rd_kafka_error_txn_requires_abort(error) != 0;
  copy.text = rd_kafka_error_string(error);
  rd_kafka_error_destroy(error);
  return ToStatus(copy, phase, what);
}

}  // namespace tailrace::kafka::rdkafka
