#include "twin.h"

#include <algorithm>
#include <map>
#include <set>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_split.h"
#include "committed_metadata.h"
#include "graph.h"
#include "tailrace/processor/topology_test_driver.h"

namespace tailrace::differential {
namespace {

using processor::DriverRecord;
using processor::TopologyTestDriver;

// Bytes in quotes: ASCII as it is, everything else, blanks, quotes and backslashes as \xHH.
void AppendBytes(std::string& line, std::string_view bytes) {
  line += '"';
  for (const char c : bytes) {
    if (c > ' ' && c < 127 && c != '"' && c != '\\') line += c;
    else absl::StrAppendFormat(&line, "\\x%02x", static_cast<uint8_t>(c));
  }
  line += '"';
}

void AppendBytes(std::string& line, const std::optional<std::string>& bytes) {
  if (bytes.has_value()) AppendBytes(line, std::string_view(*bytes));
  else line += "null";
}

void WriteTopology(const processor::Topology& topology, Transcript& transcript) {
  for (const std::string& line : std::vector<std::string>(absl::StrSplit(topology.Describe().text, '\n')))
    transcript.push_back("topology " + line);
  if (transcript.back() == "topology ") transcript.pop_back();  // after the last line end
}

// Exceptions are described differently on both sides, and where the record came from is forgotten here while stores are flushed.
bool IsDescription(std::string_view header) { return header.starts_with("__streams.errors."); }

// Kafka Streams forgets key and value of a dead letter when another operator has written the record before, and gives it the time
// and headers that the record had at the operator that failed; ours are those of the record that was read.
constexpr char kDeadLetters[] = "dead";

using KeysByTopic = std::map<std::string, std::set<std::string>>;

// Returns the keys that were written, by topic.
KeysByTopic WriteTopics(TopologyTestDriver& driver, Transcript& transcript) {
  KeysByTopic keys;
  for (const std::string& topic : driver.ProducedTopics()) {
    for (const DriverRecord& record : driver.TakeProduced(topic)) {
      std::string line = "record " + topic + " ";
      if (topic == kDeadLetters) {
        line += "letter";
      } else {
        AppendBytes(line, record.key);
        line += ' ';
        AppendBytes(line, record.value);
        // Kafka Streams leaves the time of a join buffer's record to the producer.
        if (topic.ends_with("-Buffer-changelog")) line += " -1";
        else absl::StrAppend(&line, " ", record.timestamp_ms);
      }
      for (const kafka::Header& header : record.headers) {
        if (topic == kDeadLetters && !IsDescription(header.name)) continue;
        absl::StrAppend(&line, " ", header.name, "=");
        if (IsDescription(header.name)) line += "said";
        else AppendBytes(line, header.value);
      }
      transcript.push_back(std::move(line));
      if (record.key.has_value()) keys[topic].insert(*record.key);
    }
  }
  return keys;
}

// The latest version of each key that was logged, and that of each time at which there was a record.
absl::Status WriteVersions(const state::ReadView& view, const std::string& store, const std::set<std::string>& keys,
                           const std::set<int64_t>& times, Transcript& rows) {
  for (const std::string& key : keys) {
    std::string begin = "store " + store + " ";
    AppendBytes(begin, std::string_view(key));
    TAILRACE_ASSIGN_OR_RETURN(const auto latest, view.Get(store, key));
    if (latest.has_value()) {
      std::string line = begin + " ";
      AppendBytes(line, std::string_view(latest->value));
      absl::StrAppend(&line, " ", latest->timestamp_ms);
      rows.push_back(std::move(line));
    }
    for (const int64_t time : times) {
      TAILRACE_ASSIGN_OR_RETURN(const auto version, view.GetAsOf(store, key, time));
      if (!version.has_value()) continue;
      std::string line = absl::StrCat(begin, " @", time, " ");
      AppendBytes(line, std::string_view(version->value));
      absl::StrAppend(&line, " ", version->valid_from_ms);
      rows.push_back(std::move(line));
    }
  }
  return absl::OkStatus();
}

// The store of records that wait for a partner: it is seen in its changelog only, since Kafka Streams shows it otherwise.
bool IsSharedByJoin(const std::string& store) {
  return store.ends_with("-shared-join-store") || store.starts_with("KSTREAM-OUTERSHARED-");
}

absl::Status WriteStores(const TopologyTestDriver& driver, const KeysByTopic& keys, const std::set<int64_t>& times,
                         Transcript& transcript) {
  std::vector<state::StoreSpec> stores = driver.Stores();
  std::sort(stores.begin(), stores.end(), [](const auto& a, const auto& b) { return a.name < b.name; });
  for (const state::StoreSpec& store : stores) {
    // Neither can Kafka Streams show the buffers of joins, and the windows of a join that have no length.
    if (IsSharedByJoin(store.name) || store.name.ends_with("-Buffer")) continue;
    if (store.retain_duplicates && store.window_size_ms == 0) continue;
    // Buffers of suppressions and subscriptions of foreign-key joins are seen in their changelogs only.
    if (store.kind == state::StoreKind::kTimeOrderedBuffer || store.log_record_headers) continue;
    Transcript rows;
    const auto add = [&](const state::Row& row) {
      std::string line = "store " + store.name + " ";
      AppendBytes(line, row.key);
      const bool session = store.kind == state::StoreKind::kSession;
      if (session)
        absl::StrAppend(&line, " [", row.window_start_ms, ",", row.window_end_ms, "]");
      else if (row.window_start_ms != state::kNoWindow)
        absl::StrAppend(&line, " [", row.window_start_ms, ",",
                        row.window_start_ms + std::min(store.window_size_ms, INT64_MAX - row.window_start_ms), ")");
      line += ' ';
      AppendBytes(line, row.value);
      // Kafka Streams' session stores keep no time, nor do those of stream-stream joins.
      if (!session && !store.retain_duplicates) absl::StrAppend(&line, " ", row.timestamp_ms);
      rows.push_back(std::move(line));
      return true;
    };
    const auto view = driver.Store(store.name);
    if (store.kind == state::StoreKind::kVersioned) {
      if (const auto logged = keys.find("app-" + store.name + "-changelog"); logged != keys.end())
        TAILRACE_RETURN_IF_ERROR(WriteVersions(*view, store.name, logged->second, times, rows));
    } else if (store.kind == state::StoreKind::kKeyValue)
      TAILRACE_RETURN_IF_ERROR(view->Range(store.name, std::nullopt, std::nullopt, std::nullopt, add));
    else
      TAILRACE_RETURN_IF_ERROR(view->FetchAll(store.name, 0, INT64_MAX, std::nullopt, add));
    std::sort(rows.begin(), rows.end());
    transcript.insert(transcript.end(), rows.begin(), rows.end());
  }
  return absl::OkStatus();
}

absl::Status Pipe(TopologyTestDriver& driver, const Event& event) {
  if (event.topic.empty()) return driver.AdvanceWallClock(event.wait_ms);
  kafka::Headers headers;
  for (const auto& [name, value] : event.headers) headers.push_back({name, value});
  kafka::NullableBytes key;
  kafka::NullableBytes value;
  if (event.key.has_value()) key = std::string_view(*event.key);
  if (event.value.has_value()) value = std::string_view(*event.value);
  return driver.Pipe(event.topic, key, value, event.timestamp_ms, headers);
}

std::string SettingOr(const Case& c, const std::string& key, const std::string& otherwise) {
  const auto found = c.settings.find(key);
  return found == c.settings.end() ? otherwise : found->second;
}

processor::ErrorHandler HandlerOf(const std::string& java_class) {
  return [fails = java_class.find("Fail") != std::string::npos](const processor::ErrorContext&, const absl::Status& error) {
    // The JVM's default extractor is set to one that drops these.
    if (absl::IsOutOfRange(error)) return processor::ErrorResponse::kSkip;
    return fails ? processor::ErrorResponse::kFail : processor::ErrorResponse::kContinue;
  };
}

absl::Status Run(const Grammar& grammar, const Case& c, Transcript& transcript) {
  Graph graph;
  for (const Op& op : c.ops) {
    const Kind* const kind = grammar.Find(op.kind);
    if (kind == nullptr) return absl::InvalidArgumentError("no operator is called " + op.kind);
    graph.made[op.id] = kind->build(graph, op);
  }
  TAILRACE_ASSIGN_OR_RETURN(const auto optimization,
                            processor::TopologyOptimization::Parse(SettingOr(c, "topology.optimization", "none")));
  TAILRACE_ASSIGN_OR_RETURN(processor::Topology topology, graph.builder.Build(optimization));
  Transcript described;
  WriteTopology(topology, described);
  processor::TestDriverOptions options{.application_id = "app"};
  options.caching = SettingOr(c, "statestore.cache.max.bytes", "1") != "0";
  options.dead_letter_topic = SettingOr(c, "errors.dead.letter.queue.topic.name", "");
  options.handlers.deserialization = HandlerOf(SettingOr(c, "deserialization.exception.handler", "Continue"));
  options.handlers.processing = HandlerOf(SettingOr(c, "processing.exception.handler", "Continue"));
  TAILRACE_ASSIGN_OR_RETURN(const auto driver, TopologyTestDriver::Create(std::move(topology), options));
  transcript = std::move(described);
  for (const Event& event : c.events) TAILRACE_RETURN_IF_ERROR(Pipe(*driver, event));
  const KeysByTopic keys = WriteTopics(*driver, transcript);
  std::set<int64_t> times;
  for (const Event& event : c.events)
    if (!event.topic.empty()) times.insert(event.timestamp_ms);
  TAILRACE_RETURN_IF_ERROR(WriteStores(*driver, keys, times, transcript));
  for (const auto& [topic, metadata] : driver->CommittedMetadata()) {
    const processor::CommittedMetadata decoded = processor::DecodeCommittedMetadata(metadata);
    transcript.push_back(absl::StrCat("committed ", topic, " ", decoded.partition_time_ms));
    for (const auto& [name, time_ms] : decoded.operator_times_ms)
      transcript.push_back(absl::StrCat("kept ", topic, " ", name, " ", time_ms));
  }
  return absl::OkStatus();
}

}  // namespace

Transcript RunTwin(const Grammar& grammar, const Case& c) {
  Transcript transcript;
  if (const absl::Status status = Run(grammar, c, transcript); !status.ok()) {
    transcript.push_back("failed");
    transcript.push_back(absl::StrCat("why ", status.message()));
  }
  return transcript;
}

}  // namespace tailrace::differential
