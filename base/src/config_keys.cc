#include "tailrace/base/config_keys.h"

#include <algorithm>

#include "tailrace/base/units.h"

namespace tailrace::base {
namespace {

using enum ConfigType;

constexpr ConfigKey Text(std::string_view name, std::string_view default_value, std::string_view doc) {
  return {.name = name, .type = kString, .default_value = default_value, .doc = doc};
}
constexpr ConfigKey Flag(std::string_view name, std::string_view default_value, std::string_view doc) {
  return {.name = name, .type = kBool, .default_value = default_value, .doc = doc};
}
constexpr ConfigKey Choice(std::string_view name, std::string_view default_value, std::string_view choices,
                           std::string_view doc) {
  return {.name = name, .type = kChoice, .default_value = default_value, .doc = doc, .choices = choices};
}
constexpr ConfigKey Number(std::string_view name, ConfigType type, std::string_view default_value, int64_t least,
                           std::string_view doc) {
  return {.name = name, .type = type, .default_value = default_value, .doc = doc, .least = least};
}

// The handlers of errors, and Kafka Streams' classes that do the same.
constexpr std::string_view kHandlers =
    "continue|skip|fail|org.apache.kafka.streams.errors.LogAndContinueExceptionHandler|"
    "org.apache.kafka.streams.errors.LogAndFailExceptionHandler|"
    "org.apache.kafka.streams.errors.LogAndContinueProcessingExceptionHandler|"
    "org.apache.kafka.streams.errors.LogAndFailProcessingExceptionHandler|"
    "org.apache.kafka.streams.errors.DefaultProductionExceptionHandler";

// A key says its unit in its type: kMs values are milliseconds or text such as 5m, kBytes values bytes or 64MiB.
constexpr ConfigKey kKeys[] = {
    Number("acceptable.recovery.lag", kInt, "10000", 0,
           "Records that a task may lag behind and still be called caught up."),
    Text("application.id", "",
         "Names the application: consumer group, prefix of internal topics and of transactional ids."),
    Text("application.server", "", "host:port at which others reach this process's query service; empty: grpc.listen."),
    Choice("auto.offset.reset", "earliest", "earliest|latest|none",
           "Where to begin on a source partition without a committed offset."),
    Text("bootstrap.servers", "", "host:port list of Kafka brokers."),
    Text("client.id", "", "Prefix of the names of all Kafka clients; empty: the application id."),
    Text("client.rack", "",
         "The rack or zone of this process, for fetching from near replicas and for placing standbys."),
    Number("commit.interval.ms", kMs, "1000", 1,
           "Time between commits; 100 by default under exactly_once_v2. Shorter: fresher queries, more small writes."),
    Choice("deserialization.exception.handler", "continue", kHandlers,
           "A record that cannot be decoded or has an invalid timestamp: continue (it goes to the dead-letter topic, when one is named, "
           "and is counted), skip (counted only) or fail. Kafka Streams' class names are understood."),
    Flag("ensure.explicit.internal.resource.naming", "true",
         "Refuse a topology whose internal topics or stores have generated names."),
    Text("errors.dead.letter.queue.topic.name", "",
         "Topic for records that cannot be processed, with the reason in headers."),
    Text("finnhub.stream.url", "wss://ws.finnhub.io", "WebSocket of trades."),
    Text("finnhub.symbols", "", "Symbols whose trades are subscribed to, with commas between."),
    Text("finnhub.token.file", "", "File with the token for Finnhub; empty: the variable FINNHUB_TOKEN."),
    Text("finnhub.url", "https://finnhub.io/api/v1", "REST interface of Finnhub."),
    Text("gateway.ssl.certificate.location", "", "PEM file with the gateway's certificate chain: with it the gateway speaks HTTPS only."),
    Text("gateway.ssl.key.location", "", "PEM file with the private key of gateway.ssl.certificate.location, without a pass phrase."),
    Text("gateway.workers", "", "host:port list of workers that a gateway asks for the routing table."),
    Text("group.instance.id", "",
         "A name that stays the same over restarts of this process; a restart within the session timeout then moves no "
         "task."),
    Text("grpc.listen", "127.0.0.1:9090", "Address of the query service."),
    Text("grpc.ssl.ca.location", "",
         "PEM file of authorities. A worker answers only clients with a certificate of one of them; gateways and other clients reach "
         "workers by TLS and demand such a certificate of them."),
    Text("grpc.ssl.certificate.location", "", "PEM file with the certificate chain of the query service, or the one that a client shows to it."),
    Text("grpc.ssl.key.location", "", "PEM file with the private key of grpc.ssl.certificate.location, without a pass phrase."),
    Number("heartbeat.interval.ms", kMs, "3000", 1,
           "Time between heartbeats of the membership consumer; a third of the session timeout or less."),
    Text("http.listen", "127.0.0.1:8080", "Address of the gateway's HTTP service and dashboard."),
    Text("ingest.boxes", "",
         "Posts from these places only: west,south,east,north in degrees, with semicolons between boxes. A post's point counts, or else "
         "the box of its place."),
    Text("ingest.countries", "", "Posts from these countries only: codes such as CA,US."),
    Text("ingest.place.types", "", "Posts from places of these types only, such as city."),
    Flag("ingest.require.place", "false", "Drop posts without a place."),
    Text("ingest.shard", "", "This connector's share of the records, such as 0/4, the first of four; each record is in exactly one share."),
    Choice("ingest.shard.by", "key", "key|country", "What decides about the share: the record's key, or the country of a post's place."),
    Text("ingest.tls.ca.file", "", "File of certificates that connectors trust; empty: the system's."),
    Text("log.embedded.dir", "", "Folder of the embedded log, used instead of a Kafka cluster; one process at a time."),
    Choice("log.format", "text", "text|json", "Form of log lines."),
    Choice("log.level", "info", "debug|info|warning|error|off", "The least level that is logged."),
    Number("max.future.skew.ms", kMs, "1h", 0,
           "How far in the future a record's timestamp may lie; one beyond is treated as "
           "deserialization.exception.handler says, "
           "so that a wrong clock cannot close windows. 0: no bound."),
    Number("max.poll.interval.ms", kMs, "5m", 1, "Time without progress after which a member leaves the group."),
    Number("max.task.idle.ms", kInt, "0", -1,
           "Milliseconds that a task with several inputs waits for an empty one; 0: only for records known to be on "
           "the broker; -1: never."),
    Number("max.warmup.replicas", kInt, "2", 1,
           "Tasks that may be copied to a new place at the same time before they move there."),
    Text("metrics.listen", "127.0.0.1:9464", "Address of /metrics, /healthz and /readyz of a worker."),
    Number("num.standby.replicas", kInt, "0", 0, "Copies of each store kept warm on other workers."),
    Number("num.stream.threads", kInt, "1", 1, "Threads that process records in this process."),
    Choice("processing.exception.handler", "continue", kHandlers,
           "A record on which user code throws: continue, skip or fail, as deserialization.exception.handler. Operators beside and above "
           "the one that failed go on with it."),
    Choice("processing.guarantee", "at_least_once", "at_least_once|exactly_once_v2",
           "exactly_once_v2 commits outputs, changelogs and offsets in one transaction."),
    Choice("production.exception.handler", "continue", kHandlers,
           "A record that cannot be written, such as one that is too large: continue, skip or fail, as "
           "deserialization.exception.handler."),
    Number("repartition.purge.interval.ms", kMs, "30000", 1,
           "Time between deletions of processed records from repartition topics."),
    Number("replication.factor", kInt, "-1", -1, "Replicas of internal topics; -1: the broker's default."),
    Text("requests.topic", "",
         "Compacted topic of requests for histories, which this worker keeps as store requests; made when it is not there. Empty: it keeps none."),
    Number("rest.history.days", kInt, "1826", 1, "How far back the first load of a user or ticker goes; five years."),
    Text("rest.news.category", "general", "Category of market news."),
    Number("rest.news.interval.ms", kMs, "1m", 0, "Time between two polls for news; 0: none."),
    Number("rest.overlap.days", kInt, "7", 0,
           "Days before the last load that a refresh reads again, for counters that grew and bars that were corrected."),
    Text("rest.tickers", "", "Tickers to keep up to date beside those that were requested."),
    Number("rest.tickers.interval.ms", kMs, "1d", 0, "Time between two refreshes of a ticker's bars; 0: none."),
    Text("rest.users", "", "Users to keep up to date beside those that were requested."),
    Number("rest.users.interval.ms", kMs, "1h", 0, "Time between two refreshes of a user's posts; 0: none."),
    Number("rest.visa.interval.ms", kMs, "1d", 0, "Time between two polls for a ticker's visa applications; 0: none."),
    Number("retry.backoff.ms", kMs, "5", 1,
           "First wait before a client request is tried again; it also bounds the wait of a transaction for the one "
           "before it."),
    Number("session.timeout.ms", kMs, "10000", 1,
           "Time without a heartbeat after which a worker's tasks move to others."),
    Text("spill.dir", "tailrace-spill", "Folder of what a connector has taken and the log has not; one connector each."),
    Number("spill.max.bytes", kBytes, "1GiB", 1 << 16, "Most bytes per topic in spill.dir. At the bound a stream ends with an error, and a poll waits."),
    Text("state.dir", "tailrace-state", "Folder of the stores of this process."),
    Number("state.flush.interval.ms", kMs, "60000", 1,
           "Time between flushes of the stores to disk; bounds what a lost machine replays."),
    Number("state.memory.bytes", kBytes, "0", 0,
           "Memory for all stores of the process together; 0: a quarter of the container's memory."),
    Number("statestore.cache.max.bytes", kBytes, "64MiB", 0,
           "Memory for updates between commits; 0: every update is emitted."),
    Number("stream.time.idle.timeout.ms", kMs, "0", 0,
           "Time without input after which a task's stream time advances by the wall clock, so that windows close; what is emitted for "
           "that has the header __idle.stream.time. 0: stream time stands still."),
    Choice("stream.time.mode", "kafka", "kafka|watermark",
           "What the time of a repartition topic follows: kafka, the latest record; watermark, the slowest of the tasks that write it, "
           "so that one that runs ahead makes nothing late for the others."),
    Number("task.timeout.ms", kMs, "5m", 0, "How long a task retries a failing call before the process gives up."),
    Text("topology.optimization", "none",
         "none, all, or a list of reuse.ktable.source.topics, merge.repartition.topics and single.store.self.join. The program hands it to "
         "StreamsBuilder::Build."),
    Number("transaction.timeout.ms", kMs, "10000", 1,
           "Time after which the broker aborts a transaction of a process that is gone."),
    Number("uncommitted.bytes.max", kBytes, "64MiB", 1, "Bytes of changes after which a thread commits early."),
    Number("watermark.idle.timeout.ms", kMs, "10s", 1,
           "With stream.time.mode=watermark: time without input, at the end of its topics, after which a task is not waited for."),
    Choice(
        "window.layout", "slices", "slices|kafka",
        "How hopping windows are kept: slices of a common size, or one entry per window as Kafka Streams keeps them."),
    Number("windowstore.changelog.additional.retention.ms", kMs, "1d", 0,
           "Added to a window store's retention to give its changelog topic's."),
    Number("x.backfill.minutes", kInt, "0", 0,
           "What X sends again after a break, up to 5 minutes, for access levels that have it."),
    Text("x.rules.file", "", "Rules of the filtered stream, one a line; empty: those of the account stay."),
    Number("x.stall.timeout.ms", kMs, "25s", 1, "Time without a byte, keep-alives included, after which the stream is connected to again."),
    Text("x.token.file", "", "File with the bearer token for X; empty: the variable X_BEARER_TOKEN."),
    Text("x.url", "https://api.x.com", "API of X."),
};

constexpr bool SortedByName() {
  for (size_t i = 1; i < std::size(kKeys); ++i) {
    if (kKeys[i - 1].name >= kKeys[i].name) return false;
  }
  return true;
}
static_assert(SortedByName(), "FindConfigKey searches the table by halves");

constexpr std::string_view kPassThrough[] = {"admin.", "consumer.", "main.consumer.", "producer.", "restore.consumer.",
                                             "sasl.",  "security.", "ssl.",           "topic."};

std::string_view TypeName(ConfigType type) {
  switch (type) {
    case kString:
      return "text";
    case kBool:
      return "true or false";
    case kInt:
      return "a whole number";
    case kMs:
      return "milliseconds, or text such as 30s or 5m";
    case kBytes:
      return "bytes, or text such as 64MiB";
    case kChoice:
      return "one of a list";
  }
  return "";
}

bool IsChoice(std::string_view choices, std::string_view value) {
  while (!choices.empty()) {
    const size_t bar = std::min(choices.find('|'), choices.size());
    if (choices.substr(0, bar) == value) return true;
    choices.remove_prefix(std::min(bar + 1, choices.size()));
  }
  return false;
}

std::string WithCommas(std::string_view choices) {
  std::string text;
  for (const char c : choices) c == '|' ? text.append(", ") : text.append(1, c);
  return text;
}

absl::Status Expected(const ConfigKey& key, std::string_view what) {
  return UsageError("'" + std::string(key.name) + "' must be " + std::string(what));
}

}  // namespace

std::span<const ConfigKey> ConfigKeys() { return kKeys; }

const ConfigKey* FindConfigKey(std::string_view name) {
  const auto* found = std::lower_bound(std::begin(kKeys), std::end(kKeys), name,
                                       [](const ConfigKey& key, std::string_view wanted) { return key.name < wanted; });
  return found != std::end(kKeys) && found->name == name ? found : nullptr;
}

bool IsPassThroughKey(std::string_view name) {
  return std::any_of(std::begin(kPassThrough), std::end(kPassThrough),
                     [&](std::string_view prefix) { return name.size() > prefix.size() && name.starts_with(prefix); });
}

bool IsSecretKey(std::string_view name) {
  constexpr std::string_view kSecret[] = {"password",
                                          "secret",
                                          "ssl.key.pem",
                                          "ssl.keystore.key",
                                          "sasl.jaas.config",
                                          "oauthbearer.config",
                                          "basic.auth.user.info"};
  return std::any_of(std::begin(kSecret), std::end(kSecret),
                     [&](std::string_view part) { return name.find(part) != std::string_view::npos; });
}

absl::Status CheckConfigValue(const ConfigKey& key, std::string_view value) {
  std::optional<int64_t> number;
  switch (key.type) {
    case kString:
      return absl::OkStatus();
    case kBool:
      return value == "true" || value == "false" ? absl::OkStatus() : Expected(key, TypeName(kBool));
    case kChoice:
      return IsChoice(key.choices, value) ? absl::OkStatus() : Expected(key, "one of " + WithCommas(key.choices));
    case kInt:
      number = ParseInt(value);
      break;
    case kMs:
      number = ParseDurationMs(value);
      break;
    case kBytes:
      number = ParseBytes(value);
      break;
  }
  if (!number.has_value()) return Expected(key, TypeName(key.type));
  if (*number < key.least) return Expected(key, "at least " + std::to_string(key.least));
  return absl::OkStatus();
}

std::string ConfigKeysAsMarkdown() {
  std::string text = "| key | value | default | meaning |\n|---|---|---|---|\n";
  for (const ConfigKey& key : kKeys) {
    const std::string type = key.type == kChoice ? WithCommas(key.choices) : std::string(TypeName(key.type));
    text += "| `" + std::string(key.name) + "` | " + type + " | " +
            (key.default_value.empty() ? std::string() : "`" + std::string(key.default_value) + "`") + " | " +
            std::string(key.doc) + " |\n";
  }
  return text;
}

}  // namespace tailrace::base
