#include "routing/answers.h"

#include <algorithm>
#include <tuple>
#include <utility>

#include "common/page_token.h"
#include "common/wire.h"
#include "query/query_handlers.h"

namespace tailrace::grpc_api {
namespace {

QueryValue ValueOf(v1::Value&& value) {
  return {.bytes = std::move(*value.mutable_data()),
          .json = std::move(*value.mutable_json()),
          .timestamp_ms = MsOf(value.timestamp())};
}

bool RowBefore(const QueryRow& a, const QueryRow& b) {
  return std::tie(a.window_start_ms, a.key) < std::tie(b.window_start_ms, b.key);
}

template <class Response>
bool AllExpired(const std::vector<Response>& responses) {
  return !responses.empty() &&
         std::all_of(responses.begin(), responses.end(), [](const Response& response) { return response.expired(); });
}

}  // namespace

StoreDescription DescriptionOf(const v1::Store& store, std::string application_id) {
  StoreDescription description;
  description.application_id = std::move(application_id);
  description.name = store.name();
  description.kind = store.kind() == v1::STORE_KIND_WINDOW    ? state::StoreKind::kWindow
                     : store.kind() == v1::STORE_KIND_SESSION ? state::StoreKind::kSession
                                                              : state::StoreKind::kKeyValue;
  description.window_size_ms = MsOf(store.window_size());
  description.retention_ms = MsOf(store.retention());
  description.subtopology = store.subtopology();
  description.partition_count = store.partition_count();
  description.has_schema = store.has_schema();
  return description;
}

QueryRow RowOf(v1::Row&& row) {
  QueryRow result;
  result.key = std::move(*row.mutable_key());
  result.key_json = std::move(*row.mutable_key_json());
  if (row.has_window()) {
    result.window_start_ms = MsOf(row.window().start());
    result.window_end_ms = MsOf(row.window().end());
  }
  result.value = ValueOf(std::move(*row.mutable_value()));
  return result;
}

QuerySource SourceOf(const v1::AnswerSource& source) {
  QuerySource result;
  result.task = TaskIdOf(source.task());
  result.role = FromWire(source.role());
  result.position = PositionOf(source.position());
  result.staleness_ms = MsOf(source.staleness());
  if (source.has_stream_time()) result.stream_time_ms = MsOf(source.stream_time());
  if (source.has_retention_start()) result.retention_start_ms = MsOf(source.retention_start());
  return result;
}

v1::ReadOptions ReadOptionsOf(const CallOptions& options) {
  v1::ReadOptions wire;
  if (options.max_staleness_ms) SetDuration(wire.mutable_max_staleness(), *options.max_staleness_ms);
  if (!options.min_position.empty()) SetPosition(wire.mutable_min_position(), options.min_position);
  wire.set_require_active(options.require_active);
  wire.set_json_only(options.json_only);
  return wire;
}

PointAnswer AnswerOf(v1::GetResponse&& response) {
  PointAnswer answer;
  answer.found = response.found();
  answer.expired = response.expired();
  if (response.found()) answer.row = RowOf(std::move(*response.mutable_row()));
  answer.source = SourceOf(response.source());
  return answer;
}

WindowsAnswer AnswerOf(v1::FetchWindowsResponse&& response) {
  WindowsAnswer answer;
  for (v1::Row& row : *response.mutable_rows()) answer.rows.push_back(RowOf(std::move(row)));
  if (response.has_merged()) answer.merged = ValueOf(std::move(*response.mutable_merged()));
  answer.key_known = response.key_known();
  answer.expired = response.expired();
  answer.source = SourceOf(response.source());
  return answer;
}

ScanAnswer MergePages(std::vector<v1::ScanResponse>&& pages, size_t page_size, std::string_view store,
                      const WindowRange& range, std::string_view key_prefix) {
  ScanAnswer answer;
  answer.expired = AllExpired(pages);
  std::vector<QueryRow> last_of_cut;  // The last row of each worker that has more.
  for (v1::ScanResponse& page : pages) {
    for (const v1::AnswerSource& source : page.sources()) answer.sources.push_back(SourceOf(source));
    for (v1::Row& row : *page.mutable_rows()) answer.rows.push_back(RowOf(std::move(row)));
    if (!page.next_page_token().empty() && page.rows_size() > 0) last_of_cut.push_back(answer.rows.back());
  }
  std::sort(answer.rows.begin(), answer.rows.end(), RowBefore);
  bool more = !last_of_cut.empty();
  if (more) {
    const QueryRow& limit = *std::min_element(last_of_cut.begin(), last_of_cut.end(), RowBefore);
    answer.rows.erase(std::upper_bound(answer.rows.begin(), answer.rows.end(), limit, RowBefore), answer.rows.end());
  }
  if (answer.rows.size() > page_size) {
    answer.rows.resize(page_size);
    more = true;
  }
  if (more && !answer.rows.empty()) {
    const QueryRow& last = answer.rows.back();
    const uint64_t hash = ScanHash(store, {range.from_ms, range.to_ms}, key_prefix);
    answer.next_page_token = PageToken{hash, range.from_ms, range.to_ms, last.window_start_ms, last.key}.Encode();
  }
  return answer;
}

TopAnswer MergeTops(std::vector<v1::TopResponse>&& tops, size_t n, bool ascending) {
  TopAnswer answer;
  answer.expired = AllExpired(tops);
  for (v1::TopResponse& top : tops) {
    for (const v1::AnswerSource& source : top.sources()) answer.sources.push_back(SourceOf(source));
    for (v1::TopEntry& entry : *top.mutable_entries()) {
      TopEntry& place = answer.entries.emplace_back();
      place.key = std::move(*entry.mutable_key());
      place.key_json = std::move(*entry.mutable_key_json());
      place.score = entry.score();
      place.value = ValueOf(std::move(*entry.mutable_value()));
      if (entry.has_period_start()) place.period_start_ms = MsOf(entry.period_start());
    }
  }
  // A key lives in one task, so the best of all is among the best of each.
  std::sort(answer.entries.begin(), answer.entries.end(), [ascending](const TopEntry& a, const TopEntry& b) {
    if (a.score != b.score) return ascending ? a.score < b.score : a.score > b.score;
    return a.key < b.key;
  });
  if (answer.entries.size() > n) answer.entries.resize(n);
  return answer;
}

}  // namespace tailrace::grpc_api
