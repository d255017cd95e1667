#include "rdkafka/settings.h"

#include <charconv>
#include <string_view>

namespace tailrace::kafka::rdkafka {
namespace {

// Later maps win.
Settings Layer(Settings defaults, const Settings& user, const Settings& forced) {
  // Unless it is off, closing a client waits a whole second for its telemetry more often than not.
  defaults.emplace("enable.metrics.push", "false");
  for (const auto& [key, value] : user) defaults[key] = value;
  for (const auto& [key, value] : forced) defaults[key] = value;
  return defaults;
}

// Properties of the Java clients that mean nothing to librdkafka are dropped, and those with another name there are renamed,
// so that a Kafka Streams configuration can be used as it is.
Settings Translate(const Settings& user) {
  constexpr std::string_view kJavaOnly[] = {
      "key.serializer",      "value.serializer",          "key.deserializer",      "value.deserializer",
      "interceptor.classes", "metric.reporters",          "metrics.num.samples",   "metrics.sample.window.ms",
      "max.poll.records",    "buffer.memory",             "max.block.ms",          "request.timeout.ms",
      "default.api.timeout.ms", "exclude.internal.topics", "partitioner.class",    "client.dns.lookup.mode",
  };
  static const std::map<std::string_view, std::string> kRenamed = {
      {"fetch.max.wait.ms", "fetch.wait.max.ms"},
      {"send.buffer.bytes", "socket.send.buffer.bytes"},
      {"receive.buffer.bytes", "socket.receive.buffer.bytes"},
  };
  Settings translated;
  for (const auto& [key, value] : user) {
    bool dropped = false;
    for (std::string_view name : kJavaOnly) dropped = dropped || key == name;
    if (dropped) continue;
    auto renamed = kRenamed.find(key);
    translated[renamed == kRenamed.end() ? key : renamed->second] = value;
  }
  return translated;
}

std::string Find(const Settings& settings, const std::string& key, std::string otherwise) {
  auto found = settings.find(key);
  return found == settings.end() ? std::move(otherwise) : found->second;
}

int PositiveOr(const std::string& text, int otherwise) {
  int value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value > 0 ? value : otherwise;
}

}  // namespace

Settings ConsumerSettings(const RoleSettings& roles, const ConsumerOptions& options) {
  const Settings defaults = {
      // librdkafka asks a group of every consumer that uses assign(); nothing is ever committed under it here.
      {"group.id", roles.application_id.empty() ? "tailrace" : roles.application_id},
      // The time for which the client stops fetching a partition once its queue is full. The default second starves a
      // fast reader.
      {"fetch.queue.backoff.ms", "5"},
      {"fetch.wait.max.ms", "100"},
      {"fetch.message.max.bytes", options.restore ? "4194304" : "1048576"},
      {"fetch.max.bytes", "52428800"},
      // Bounded memory: records fetched and not yet polled, over all partitions (KiB) and per partition (records).
      {"queued.max.messages.kbytes", options.restore ? "65536" : "32768"},
      {"queued.min.messages", "100000"},
      {"check.crcs", "true"},
  };
  const Settings forced = {
      {"enable.auto.commit", "false"},
      {"enable.auto.offset.store", "false"},
      {"enable.partition.eof", "true"},
      {"auto.offset.reset", "error"},
      {"isolation.level", options.read_committed ? "read_committed" : "read_uncommitted"},
      {"client.id", options.client_id},
  };
  return Layer(defaults, Translate(options.restore ? roles.restore_consumer : roles.main_consumer), forced);
}

Settings ProducerSettings(const RoleSettings& roles, const ProducerOptions& options) {
  Settings defaults = {
      {"linger.ms", "5"},
      {"batch.size", "262144"},
      {"batch.num.messages", "10000"},
      // Bounded memory: records not yet delivered.
      {"queue.buffering.max.kbytes", "65536"},
      {"queue.buffering.max.messages", "100000"},
      {"partitioner", "murmur2_random"},
      {"message.max.bytes", "1048588"},
  };
  Settings forced = {{"enable.idempotence", "true"}, {"client.id", options.client_id}};
  if (!options.transactional_id.empty()) {
    // The broker is still completing the previous transaction when offsets are sent right after a commit; the wait until
    // the next try is this backoff.
    defaults["retry.backoff.ms"] = "5";
    forced["transactional.id"] = options.transactional_id;
    forced["transaction.timeout.ms"] = std::to_string(options.transaction_timeout_ms);
  } else {
    defaults["message.timeout.ms"] = "120000";
  }
  return Layer(defaults, Translate(roles.producer), forced);
}

Settings MembershipSettings(const RoleSettings& roles, const MembershipOptions& options) {
  const Settings defaults = {
      {"client.id", options.group + "-membership"},
      {"session.timeout.ms", std::to_string(options.session_timeout_ms)},
      {"heartbeat.interval.ms", std::to_string(options.heartbeat_interval_ms)},
      {"max.poll.interval.ms", std::to_string(options.max_poll_interval_ms)},
  };
  const Settings forced = {
      {"group.id", options.group},
      {"group.instance.id", options.instance_id},
      {"group.protocol", "classic"},
      {"partition.assignment.strategy", "range"},
      {"enable.auto.commit", "false"},
      {"enable.auto.offset.store", "false"},
      {"auto.offset.reset", "latest"},
      // Committed offsets are answered only when no transaction on them is open (KIP-447).
      {"isolation.level", "read_committed"},
      {"queued.max.messages.kbytes", "1024"},
  };
  Settings user = Translate(roles.consumer);
  // These are said by options; a session longer than the poll interval is refused by librdkafka.
  for (const char* key : {"session.timeout.ms", "heartbeat.interval.ms", "max.poll.interval.ms"}) user.erase(key);
  return Layer(defaults, user, forced);
}

Settings AdminSettings(const RoleSettings& roles) { return Layer({}, Translate(roles.admin), {}); }

int DeliveryTimeoutMs(const Settings& producer) {
  return PositiveOr(Find(producer, "message.timeout.ms", Find(producer, "delivery.timeout.ms", "")), 120'000);
}

int TransactionTimeoutMs(const Settings& producer) { return PositiveOr(Find(producer, "transaction.timeout.ms", ""), 10'000); }

}  // namespace tailrace::kafka::rdkafka
