// The one place where an error of the client becomes a Reaction.
#pragma once

#include <string>
#include <string_view>

#include "librdkafka/rdkafka.h"
#include "tailrace/base/status.h"

namespace tailrace::kafka::rdkafka {

// What was being done when the error came up.
enum class Phase {
  kInitTransactions,
  kBeginTransaction,
  kSend,            // handing a record to the client
  kDelivery,        // of records outside a transaction
  kTransactionalDelivery,
  kSendOffsets,
  kCommit,          // commit_transaction, including its flush
  kAbort,           // abort_transaction
  kConsume,
  kCommitOffsets,   // by the membership, outside a transaction
  kFetchOffsets,    // committed offsets, watermarks, offsets by time
  kMembership,
  kAdmin,
};

struct ClientError {
  rd_kafka_resp_err_t code = RD_KAFKA_RESP_ERR_NO_ERROR;
  bool fatal = false;       // the client instance is unusable
  bool retriable = false;
  bool abortable = false;   // the transaction must be aborted
  std::string text;         // the client's own words; its name for the code when empty
};

// REQUIRES: error.code is an error.
//
// The rule that matters most: when a commit or abort ends without a definite answer (time-out, lost connection, unknown
// state), the reaction is kRecreateProducer, whatever the client says about trying again. A late answer to the old request
// could otherwise end a later transaction.
base::Reaction ReactionTo(const ClientError& error, Phase phase);

// "what: text (code)", with the reaction attached.
absl::Status ToStatus(const ClientError& error, Phase phase, std::string_view what);

// Takes the error over; OK when it is null.
absl::Status TakeError(rd_kafka_error_t* error, Phase phase, std::string_view what);

}  // namespace tailrace::kafka::rdkafka
