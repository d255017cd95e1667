// tailrace query: asks the workers behind --target; the answer as lines of text, or as JSON.
#include <chrono>
#include <iostream>
#include <memory>
#include <optional>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/time/time.h"
#include "nlohmann/json.hpp"
#include "tailrace/base/bytes.h"
#include "tailrace/base/config.h"
#include "tailrace/base/limits.h"
#include "tailrace/grpc_api/query_client.h"
#include "verb.h"

namespace tailrace::cli {
namespace {

using grpc_api::QueryClient;
using grpc_api::QueryRow;
using grpc_api::WindowRange;
using Json = nlohmann::ordered_json;

constexpr int kPagesMax = 10'000;

struct Query {
  ConfigOptions config;
  std::string target;
  bool json = false;
  std::string store;
  std::string key;
  std::string field;
  std::string from;
  std::string to;
  std::string order = "desc";
  int n = 10;
  int limit = 1'000;
};

std::string Rfc3339(int64_t ms) {
  return absl::FormatTime("%Y-%m-%dT%H:%M:%E*SZ", absl::FromUnixMillis(ms), absl::UTCTimeZone());
}

absl::StatusOr<int64_t> ParseTime(const std::string& text, const char* option) {
  if (int64_t ms = 0; absl::SimpleAtoi(text, &ms)) return ms;
  absl::Time time;
  std::string error;
  if (!absl::ParseTime(absl::RFC3339_full, text, &time, &error))
    return base::UsageError(absl::StrCat(option, ": ", text, " is neither RFC 3339 nor epoch milliseconds"));
  return absl::ToUnixMillis(time);
}

absl::StatusOr<WindowRange> RangeOf(const Query& query) {
  WindowRange range;
  if (!query.from.empty()) {
    TAILRACE_ASSIGN_OR_RETURN(range.from_ms, ParseTime(query.from, "--from"));
  }
  if (!query.to.empty()) {
    TAILRACE_ASSIGN_OR_RETURN(range.to_ms, ParseTime(query.to, "--to"));
  }
  if (range.from_ms >= range.to_ms) return base::UsageError("--from must be before --to");
  return range;
}

// The JSON that the store's schema gives; without a schema the bytes in base 16.
Json ValueJson(const grpc_api::QueryValue& value) {
  if (!value.json.empty()) return Json::parse(value.json, nullptr, false);
  return Json{{"bytes", base::HexEncode(value.bytes)}};
}
Json KeyJson(const std::string& key, const std::string& key_json) {
  return key_json.empty() ? Json(base::HexEncode(key)) : Json::parse(key_json, nullptr, false);
}

Json RowJson(const QueryRow& row) {
  Json json{{"key", KeyJson(row.key, row.key_json)}};
  if (row.window_start_ms != state::kNoWindow)
    json["window"] = {{"start", Rfc3339(row.window_start_ms)}, {"end", Rfc3339(row.window_end_ms)}};
  json["value"] = ValueJson(row.value);
  return json;
}

void Print(const Query& query, const Json& json) {
  if (query.json) {
    std::cout << json.dump() << "\n";
    return;
  }
  std::string line;
  for (const auto& [name, value] : json.items()) {
    if (!line.empty()) line += "\t";
    if (name == "window") line += value["start"].get<std::string>();
    else line += value.is_string() ? value.get<std::string>() : value.dump();
  }
  std::cout << line << "\n";
}

std::string_view KindName(state::StoreKind kind) {
  switch (kind) {
    case state::StoreKind::kKeyValue:
    case state::StoreKind::kVersioned: return "key-value";
    case state::StoreKind::kWindow: return "window";
    case state::StoreKind::kSession: return "session";
    case state::StoreKind::kTimeOrderedBuffer: break;  // no worker shows one
  }
  return "unknown";
}

absl::Status Stores(QueryClient& client, const Query& query) {
  TAILRACE_ASSIGN_OR_RETURN(const auto stores, client.ListStores({}));
  for (const grpc_api::StoreDescription& store : stores)
    Print(query, {{"application", store.application_id},
                  {"name", store.name},
                  {"kind", KindName(store.kind)},
                  {"partitions", store.partition_count},
                  {"window_size_ms", store.window_size_ms},
                  {"retention_ms", store.retention_ms}});
  return absl::OkStatus();
}

absl::Status Get(QueryClient& client, const Query& query) {
  TAILRACE_ASSIGN_OR_RETURN(const auto store, client.Store(query.store, {}));
  std::optional<int64_t> window_start;
  if (store.kind != state::StoreKind::kKeyValue) {
    if (query.from.empty())
      return base::UsageError(absl::StrCat("store ", query.store, " has windows: name one with --from, or use 'windows'"));
    TAILRACE_ASSIGN_OR_RETURN(window_start, ParseTime(query.from, "--from"));
  }
  TAILRACE_ASSIGN_OR_RETURN(const auto answer, client.Get(query.store, query.key, window_start, {}));
  if (!answer.found)
    return absl::NotFoundError(absl::StrCat("store ", query.store, " has no entry for ", query.key,
                                            answer.expired ? ": the window has left the retention" : ""));
  Print(query, RowJson(answer.row));
  return absl::OkStatus();
}

absl::Status Windows(QueryClient& client, const Query& query) {
  TAILRACE_ASSIGN_OR_RETURN(const WindowRange range, RangeOf(query));
  TAILRACE_ASSIGN_OR_RETURN(const auto answer, client.FetchWindows(query.store, query.key, range, false, {}));
  for (const QueryRow& row : answer.rows) Print(query, RowJson(row));
  if (answer.rows.empty() && answer.expired) return absl::NotFoundError("the whole range has left the retention");
  return absl::OkStatus();
}

absl::Status Scan(QueryClient& client, const Query& query) {
  TAILRACE_ASSIGN_OR_RETURN(const WindowRange range, RangeOf(query));
  std::string token;
  int printed = 0;
  for (int page = 0; page < kPagesMax; ++page) {
    TAILRACE_ASSIGN_OR_RETURN(const auto answer,
                              client.Scan(query.store, range, base::limits::kPageSizeMax, token, {}));
    for (const QueryRow& row : answer.rows) {
      if (printed++ == query.limit) {
        std::cerr << "tailrace: stopped after " << query.limit << " rows; --limit prints more\n";
        return absl::OkStatus();
      }
      Print(query, RowJson(row));
    }
    token = answer.next_page_token;
    if (token.empty()) break;
  }
  return absl::OkStatus();
}

absl::Status Top(QueryClient& client, const Query& query) {
  TAILRACE_ASSIGN_OR_RETURN(const WindowRange range, RangeOf(query));
  TAILRACE_ASSIGN_OR_RETURN(const auto answer, client.Top({.store = query.store,
                                                           .field = query.field,
                                                           .n = query.n,
                                                           .ascending = query.order == "asc",
                                                           .range = range},
                                                          {}));
  for (const grpc_api::TopEntry& entry : answer.entries)
    Print(query, {{"key", KeyJson(entry.key, entry.key_json)}, {"score", entry.score}, {"value", ValueJson(entry.value)}});
  return absl::OkStatus();
}

absl::Status Submit(QueryClient& client, const Query& query) {
  const auto kind = query.store == "user" ? grpc_api::RequestKind::kUser : grpc_api::RequestKind::kTicker;
  TAILRACE_ASSIGN_OR_RETURN(const auto answer, client.SubmitRequest(kind, query.key, {}));
  Print(query, {{"created", answer.created}, {"request", ValueJson(answer.row.value)}});
  return absl::OkStatus();
}

using Call = absl::Status (*)(QueryClient&, const Query&);

// Of the environment only how workers are reached counts: it may be that of a worker with a pipeline's parameters, or another
// program's.
absl::StatusOr<base::Config> LoadQueryConfig(const ConfigOptions& options) {
  auto environment = base::ProcessEnvironment();
  std::erase_if(environment, [](const auto& variable) { return !variable.first.starts_with("TAILRACE_GRPC_SSL_"); });
  return base::Config::Load({.defaults = {}, .file = options.file, .environment = std::move(environment), .set = options.set, .parameters = {}});
}

absl::Status Ask(const Query& query, Call call) {
  TAILRACE_ASSIGN_OR_RETURN(const base::Config config, LoadQueryConfig(query.config));
  grpc_api::QueryClientOptions options{.workers = absl::StrSplit(query.target, ',', absl::SkipEmpty()),
                                       .tls = grpc_api::TlsOptionsOf(config, "grpc.ssl.")};
  TAILRACE_RETURN_IF_ERROR(grpc_api::CheckClientTls(options.tls));
  const auto client = QueryClient::Create(std::move(options));
  return call(*client, query);
}

}  // namespace

void AddQuery(CLI::App& app, Action& action) {
  auto query = std::make_shared<Query>();  // shared with the action, which runs after this function
  CLI::App* const verb = app.add_subcommand("query", "Asks the stores of running workers");
  verb->add_option("--target", query->target, "host:port of any worker's query service; several by commas")->required();
  AddConfigOptions(*verb, query->config);
  verb->add_flag("--json", query->json, "One JSON object a line");
  verb->require_subcommand(1);
  verb->fallthrough();
  const auto add = [&](const char* name, const char* help, Call call) {
    CLI::App* const what = verb->add_subcommand(name, help);
    what->fallthrough();
    what->callback([query, call, &action] {
      action.run = [query, call] {
        return Ask(*query, call);
      };
    });
    return what;
  };
  const auto range = [&](CLI::App* what) {
    what->add_option("--from", query->from, "First window start: RFC 3339 or epoch milliseconds");
    what->add_option("--to", query->to, "Windows that start before this");
  };
  add("stores", "Lists the stores", Stores);
  CLI::App* const get = add("get", "One entry", Get);
  get->add_option("store", query->store)->required();
  get->add_option("key", query->key)->required();
  get->add_option("--from", query->from, "Start of the window: RFC 3339 or epoch milliseconds");
  CLI::App* const windows = add("windows", "The windows of one key", Windows);
  windows->add_option("store", query->store)->required();
  windows->add_option("key", query->key)->required();
  range(windows);
  CLI::App* const scan = add("scan", "All entries", Scan);
  scan->add_option("store", query->store)->required();
  scan->add_option("--limit", query->limit, "Rows to print at most")->capture_default_str();
  range(scan);
  CLI::App* const submit = add("submit", "Asks for the history of a user or a ticker; again: says how far it is", Submit);
  submit->add_option("kind", query->store, "user or ticker")->required()->check(CLI::IsMember({"user", "ticker"}));
  submit->add_option("name", query->key)->required();
  CLI::App* const top = add("top", "The keys with the largest or smallest value of a field", Top);
  top->add_option("store", query->store)->required();
  top->add_option("field", query->field, "Field of the value; none: the value itself");
  top->add_option("-n", query->n, "How many")->check(CLI::Range(1, base::limits::kTopEntriesMax))->capture_default_str();
  top->add_option("--order", query->order)->check(CLI::IsMember({"asc", "desc"}))->capture_default_str();
  range(top);
}

}  // namespace tailrace::cli
