#include "rdkafka/client.h"

#include <array>
#include <utility>

#include "absl/strings/str_cat.h"
#include "rdkafka/bounded_call.h"
#include "tailrace/base/check.h"
#include "tailrace/base/log.h"

namespace tailrace::kafka::rdkafka {
namespace {

using base::Reaction;

constexpr int kEndMsMax = 500;

base::LogLevel LevelOf(int syslog_level) {
  if (syslog_level <= 3) return base::LogLevel::kError;
  if (syslog_level == 4) return base::LogLevel::kWarning;
  return syslog_level <= 6 ? base::LogLevel::kInfo : base::LogLevel::kDebug;
}

std::string Find(const Settings& settings, const std::string& key) {
  auto found = settings.find(key);
  return found == settings.end() ? std::string() : found->second;
}

}  // namespace

PartitionListPtr NewPartitionList(size_t capacity) {
  return PartitionListPtr(rd_kafka_topic_partition_list_new(static_cast<int>(capacity)));
}

void AddPartition(rd_kafka_topic_partition_list_t* list, const base::TopicPartition& partition, int64_t offset) {
  rd_kafka_topic_partition_list_add(list, partition.topic.c_str(), partition.partition.value())->offset = offset;
}

Client::Client(const Settings& settings, const Callbacks& callbacks)
    : callbacks_(callbacks), bootstrap_servers_(Find(settings, "bootstrap.servers")), id_(Find(settings, "client.id")) {}

Client::~Client() { End(); }

void Client::End() {
  // With this flag requests to a broker that is gone fail at once. What it leaves out has no use here: no consumer commits by
  // itself, and a static member does not leave its group by closing.
  if (rk_ != nullptr) rd_kafka_destroy_flags(std::exchange(rk_, nullptr), RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE);
}

absl::StatusOr<std::unique_ptr<Client>> Client::New(rd_kafka_type_t type, const Settings& settings, const Callbacks& callbacks) {
  ConfPtr conf(rd_kafka_conf_new());
  std::array<char, 512> problem{};
  for (const auto& [key, value] : settings) {
    if (rd_kafka_conf_set(conf.get(), key.c_str(), value.c_str(), problem.data(), problem.size()) != RD_KAFKA_CONF_OK) {
      // The library's text repeats the value, which may be a secret; the name is enough to find it.
      return base::UsageError(absl::StrCat("the Kafka client setting ", key, " is unknown or has a value that is not allowed; ",
                                           "see librdkafka's CONFIGURATION.md for the names and values"));
    }
  }
  std::unique_ptr<Client> client(new Client(settings, callbacks));
  rd_kafka_conf_set_opaque(conf.get(), client.get());
  rd_kafka_conf_set_log_cb(conf.get(), &Client::OnLog);
  rd_kafka_conf_set_error_cb(conf.get(), &Client::OnError);
  if (callbacks.delivery != nullptr) rd_kafka_conf_set_dr_msg_cb(conf.get(), &Client::OnDelivery);
  if (callbacks.rebalance != nullptr) rd_kafka_conf_set_rebalance_cb(conf.get(), &Client::OnRebalance);
  client->rk_ = rd_kafka_new(type, conf.get(), problem.data(), problem.size());
  if (client->rk_ == nullptr) {
    return base::UsageError(absl::StrCat("the Kafka client ", client->id_, " cannot be made: ", problem.data()));
  }
  static_cast<void>(conf.release());  // rd_kafka_new took it.
  return client;
}

void Client::OnLog(const rd_kafka_t* rk, int level, const char* facility, const char* text) {
  const base::LogLevel log_level = LevelOf(level);
  if (!base::LogEnabled(log_level)) return;
  if (rk != nullptr && static_cast<const Client*>(rd_kafka_opaque(rk))->silent_) return;
  base::Log(log_level, "kafka", "client log", {{"client", rk == nullptr ? "" : rd_kafka_name(rk)}, {"facility", facility}, {"text", text}});
}

void Client::OnError(rd_kafka_t*, int code_number, const char* reason, void* opaque) {
  auto* client = static_cast<Client*>(opaque);
  const auto code = static_cast<rd_kafka_resp_err_t>(code_number);
  absl::Status problem;
  if (code == RD_KAFKA_RESP_ERR__AUTHENTICATION || code == RD_KAFKA_RESP_ERR__SSL) {
    problem = base::Error(Reaction::kFatal, absl::StatusCode::kUnauthenticated,
                          absl::StrCat("the Kafka cluster at bootstrap.servers=", client->bootstrap_servers_,
                                       " refused this client: ", reason, "; check the security.*, sasl.* and ssl.* settings"));
  } else if (code == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN || code == RD_KAFKA_RESP_ERR__RESOLVE) {
    problem = base::Error(Reaction::kRetry, absl::StatusCode::kUnavailable,
                          absl::StrCat("no Kafka broker can be reached at bootstrap.servers=", client->bootstrap_servers_, ": ",
                                       reason, "; check the address and that the broker runs"));
  } else {
    return;  // Single connections come and go; fatal errors are met by the calls that they fail.
  }
  absl::MutexLock lock(&client->mu_);
  // An authentication failure is not covered up by the lost connections that follow it.
  if (base::ReactionOf(client->last_problem_) == Reaction::kFatal && base::ReactionOf(problem) != Reaction::kFatal &&
      !client->last_problem_.ok()) {
    return;
  }
  client->problem_ = problem;
  client->last_problem_ = problem;
  client->has_problem_ = true;
}

void Client::OnDelivery(rd_kafka_t* rk, const rd_kafka_message_t* message, void* opaque) {
  auto* client = static_cast<Client*>(opaque);
  client->callbacks_.delivery(rk, message, client->callbacks_.opaque);
}

void Client::OnRebalance(rd_kafka_t* rk, rd_kafka_resp_err_t code, rd_kafka_topic_partition_list_t* partitions, void* opaque) {
  auto* client = static_cast<Client*>(opaque);
  client->callbacks_.rebalance(rk, code, partitions, client->callbacks_.opaque);
}

absl::Status Client::TakeConnectionProblem() {
  if (!has_problem_.load(std::memory_order_relaxed)) return absl::OkStatus();
  absl::MutexLock lock(&mu_);
  has_problem_ = false;
  return std::exchange(problem_, absl::OkStatus());
}

absl::Status Client::Explain(const ClientError& error, Phase phase, std::string_view what) {
  absl::Status status = ToStatus(error, phase, what);
  if (status.code() != absl::StatusCode::kUnavailable) return status;
  absl::MutexLock lock(&mu_);
  if (last_problem_.ok()) return base::Annotate(status, absl::StrCat("bootstrap.servers=", bootstrap_servers_));
  const absl::string_view text = last_problem_.message();
  // The reaction is that of the call: only a refused client is worse than what the call says.
  const Reaction reaction = base::ReactionOf(last_problem_) == Reaction::kFatal ? Reaction::kFatal : base::ReactionOf(status);
  return base::Error(reaction, last_problem_.code(), absl::StrCat(status.message(), "; ", text));
}

absl::Status Client::ExplainTaken(rd_kafka_error_t* error, Phase phase, std::string_view what) {
  if (error == nullptr) return absl::OkStatus();
  ClientError copy;
  copy.code = rd_kafka_error_code(error);
  copy.fatal = rd_kafka_error_is_fatal(error) != 0;
  copy.retriable = rd_kafka_error_is_retriable(error) != 0;
  copy.abortable = rd_kafka_error_txn_requires_abort(error) != 0;
  copy.text = rd_kafka_error_string(error);
  rd_kafka_error_destroy(error);
  return Explain(copy, phase, what);
}

std::optional<ClientError> Client::FatalError() const {
  std::array<char, 512> text{};
  const rd_kafka_resp_err_t code = rd_kafka_fatal_error(rk_, text.data(), text.size());
  if (code == RD_KAFKA_RESP_ERR_NO_ERROR) return std::nullopt;
  ClientError error;
  error.code = code;
  error.fatal = true;
  error.text = text.data();
  return error;
}

void EndInTime(std::unique_ptr<Client> client) {
  const std::shared_ptr<Client> ending = std::move(client);  // shared with the thread that ends it
  if (!RunWithin(kEndMsMax, [ending] { ending->End(); })) ending->Silence();
}

EventPtr WaitForEvent(rd_kafka_queue_t* queue, int timeout_ms) { return EventPtr(rd_kafka_queue_poll(queue, timeout_ms)); }

}  // namespace tailrace::kafka::rdkafka
