#include "query/query_handlers.h"

#include <algorithm>
#include <utility>

#include "common/page_token.h"
#include "common/wire.h"
#include "query/scan.h"
#include "query/top.h"
#include "query/view_selection.h"

namespace tailrace::grpc_api {
namespace {

using processor::StoreInfo;
using processor::StoreView;

absl::Status BadRequest(std::string_view message) {
  return QueryError(absl::StatusCode::kInvalidArgument, reason::kBadRequest, message);
}

absl::StatusOr<StoreInfo> FindStore(const processor::Queryable& queryable, const std::string& name) {
  if (name.empty()) return BadRequest("store is missing; ListStores names the stores");
  absl::StatusOr<StoreInfo> store = queryable.Store(name);
  if (!store.ok()) return WithDefaultReason(store.status());
  return store;
}

template <class Request>
absl::StatusOr<std::string> KeyOf(const Request& request, const StoreInfo& store) {
  if (request.key_case() == Request::KEY_NOT_SET) return BadRequest("key_bytes or key_text is missing");
  if (request.has_key_bytes()) return request.key_bytes();
  if (!store.schema) return request.key_text();
  std::optional<std::string> key = store.schema->KeyFromText(request.key_text());
  if (!key) return BadRequest("'" + request.key_text() + "' is not a key of store " + store.name);
  return *std::move(key);
}

// The view that holds a key.
absl::StatusOr<StoreView> ViewOfKey(const processor::Queryable& queryable, const StoreInfo& store,
                                    std::string_view key, const v1::ReadOptions& options) {
  const int32_t partition = PartitionOf(store, key);
  absl::StatusOr<std::vector<StoreView>> views = SelectViews(queryable, store, {&partition, 1}, PolicyOf(options));
  if (!views.ok()) return WithDefaultReason(views.status());
  return std::move(views->front());
}

template <class Request>
absl::StatusOr<std::vector<StoreView>> ViewsOf(const processor::Queryable& queryable, const StoreInfo& store,
                                               const Request& request) {
  const std::vector<int32_t> partitions(request.partitions().begin(), request.partitions().end());
  absl::StatusOr<std::vector<StoreView>> views =
      SelectViews(queryable, store, partitions, PolicyOf(request.read_options()));
  if (!views.ok()) return WithDefaultReason(views.status());
  return views;
}

template <class Request>
absl::Status CheckRange(const Request& request, const StoreInfo& store) {
  if (store.kind == state::StoreKind::kKeyValue && (request.has_from() || request.has_to())) {
    return BadRequest("store " + store.name + " has no windows, so from and to do not apply");
  }
  if (request.has_from() && request.has_to() && MsOf(request.from()) > MsOf(request.to())) {
    return BadRequest("from is after to");
  }
  return absl::OkStatus();
}

absl::StatusOr<size_t> PageSize(int32_t asked, int default_size, int max_size) {
  if (asked < 0) return BadRequest("page_size is below zero");
  if (asked == 0) return static_cast<size_t>(default_size);
  return static_cast<size_t>(std::min(asked, max_size));
}

template <class Response>
void SetSources(Response* response, const std::vector<StoreView>& views, const StoreInfo& store) {
  for (const StoreView& view : views) SetSource(response->add_sources(), view, store);
}

bool AllExpired(const std::vector<StoreView>& views, const StoreInfo& store, const TimeRange& range) {
  return !views.empty() && std::all_of(views.begin(), views.end(),
                                       [&](const StoreView& view) { return IsExpired(view, store, range); });
}

// What a request ranks by, checked against the store.
absl::StatusOr<Ranking> RankingOf(const v1::TopRequest& request, const StoreInfo& store) {
  if (request.n() < 1 || request.n() > base::limits::kTopEntriesMax) {
    return BadRequest("n is " + std::to_string(request.n()) + "; it must be 1 to " +
                      std::to_string(base::limits::kTopEntriesMax));
  }
  Ranking ranking{.field = request.field(),
                  .ascending = request.order() == v1::ORDER_ASCENDING,
                  .n = static_cast<size_t>(request.n()),
                  .key_prefix = request.key_prefix(),
                  .key_suffix = request.key_suffix()};
  if (request.score() != v1::SCORE_SLOPE && request.score() != v1::SCORE_DECAY) return ranking;
  if (store.kind != state::StoreKind::kWindow || store.window_size_ms <= 0) {
    return BadRequest("store " + store.name + " has no windows of one size, so it is ranked by SCORE_MERGED only");
  }
  if (request.score() == v1::SCORE_DECAY) {
    ranking.score = RankScore::kDecay;
    ranking.half_life_ms = MsOf(request.half_life());
    if (ranking.half_life_ms <= 0) return BadRequest("half_life is missing or not above zero");
    if (!request.has_to()) return BadRequest("to is missing: ages are counted back from it");
    return ranking;
  }
  ranking.score = RankScore::kSlope;
  ranking.period_ms = request.has_period() ? MsOf(request.period()) : store.window_size_ms;
  if (ranking.period_ms <= 0 || ranking.period_ms % store.window_size_ms != 0) {
    return BadRequest("period is " + std::to_string(ranking.period_ms) + " ms; it must be a multiple of the window size of store " +
                      store.name + ", " + std::to_string(store.window_size_ms) + " ms");
  }
  return ranking;
}

absl::Status TooLarge(const StoreInfo& store) {
  return QueryError(absl::StatusCode::kResourceExhausted, reason::kTooLarge,
                    "the answer from store " + store.name + " is too large; ask for a shorter range or fewer entries");
}

}  // namespace

uint64_t ScanHash(std::string_view store, const TimeRange& range, std::string_view key_prefix) {
  return HashRequest("Scan", store, range.from_ms, range.to_ms, key_prefix);
}

uint64_t ListKeysHash(std::string_view store, const TimeRange& range, std::string_view positive_field) {
  return HashRequest("ListKeys", store, range.from_ms, range.to_ms, positive_field);
}

absl::Status QueryHandlers::Handle(const v1::ListStoresRequest&, const Deadline&,
                                   v1::ListStoresResponse* response) const {
  std::vector<StoreInfo> stores = queryable_.Stores();
  std::sort(stores.begin(), stores.end(), [](const StoreInfo& a, const StoreInfo& b) { return a.name < b.name; });
  for (const StoreInfo& store : stores) SetStore(response->add_stores(), store);
  response->set_application_id(queryable_.application_id());
  return absl::OkStatus();
}

absl::Status QueryHandlers::Handle(const v1::GetRequest& request, const Deadline& deadline,
                                   v1::GetResponse* response) const {
  TAILRACE_RETURN_IF_ERROR(deadline.Check());
  TAILRACE_ASSIGN_OR_RETURN(const StoreInfo store, FindStore(queryable_, request.store()));
  TAILRACE_ASSIGN_OR_RETURN(const std::string key, KeyOf(request, store));
  const bool window = store.kind != state::StoreKind::kKeyValue;
  if (window && !request.has_window_start()) {
    return BadRequest("store " + store.name + " is windowed: window_start is missing (FetchWindows reads a range)");
  }
  if (!window && request.has_window_start()) {
    return BadRequest("store " + store.name + " has no windows, so window_start does not apply");
  }
  TAILRACE_ASSIGN_OR_RETURN(const StoreView view, ViewOfKey(queryable_, store, key, request.read_options()));
  SetSource(response->mutable_source(), view, store);
  const int64_t start_ms = window ? MsOf(request.window_start()) : state::kNoWindow;
  if (window && start_ms < view.view->retention_start_ms(store.name)) {
    response->set_expired(true);
    return absl::OkStatus();
  }
  const bool json_only = request.read_options().json_only();
  if (store.kind == state::StoreKind::kSession) {
    // The row tells the session's end.
    return view.view->FetchRange(store.name, key, start_ms, start_ms, [&](const state::Row& row) {
      response->set_found(true);
      SetRow(response->mutable_row(), store, row, json_only);
      return false;
    });
  }
  TAILRACE_ASSIGN_OR_RETURN(const std::optional<state::ReadView::Value> value,
                            window ? view.view->GetWindow(store.name, key, start_ms) : view.view->Get(store.name, key));
  if (!value) return absl::OkStatus();
  response->set_found(true);
  SetRow(response->mutable_row(), store, {key, start_ms, value->value, value->timestamp_ms}, json_only);
  return absl::OkStatus();
}

absl::Status QueryHandlers::Handle(const v1::FetchWindowsRequest& request, const Deadline& deadline,
                                   v1::FetchWindowsResponse* response) const {
  TAILRACE_RETURN_IF_ERROR(deadline.Check());
  TAILRACE_ASSIGN_OR_RETURN(const StoreInfo store, FindStore(queryable_, request.store()));
  if (store.kind == state::StoreKind::kKeyValue) return BadRequest("store " + store.name + " has no windows: use Get");
  TAILRACE_RETURN_IF_ERROR(CheckRange(request, store));
  TAILRACE_ASSIGN_OR_RETURN(const std::string key, KeyOf(request, store));
  TAILRACE_ASSIGN_OR_RETURN(const StoreView view, ViewOfKey(queryable_, store, key, request.read_options()));
  SetSource(response->mutable_source(), view, store);

  const bool json_only = request.read_options().json_only();
  const TimeRange range = RangeOf(request);
  response->set_expired(IsExpired(view, store, range));
  const TimeRange retained = Retained(view, store, range);
  RowBudget budget(deadline);
  size_t bytes = 0;
  bool too_large = false;
  std::optional<std::string> merged;
  bool merges = request.merge() && store.schema != nullptr;
  int64_t merged_timestamp_ms = 0;
  if (!retained.empty()) {
    TAILRACE_RETURN_IF_ERROR(view.view->FetchRange(
        store.name, key, retained.from_ms, retained.last_ms(), [&](const state::Row& row) {
          too_large = response->rows_size() >= base::limits::kWindowsPerFetchMax ||
                      bytes > base::limits::kQueryAnswerBytesMax;
          if (too_large || !budget.Next()) return false;
          v1::Row* out = response->add_rows();
          SetRow(out, store, row, json_only);
          bytes += out->ByteSizeLong();
          if (merges) {
            merged = merged ? store.schema->Merge(*merged, row.value) : std::optional<std::string>(row.value);
            merges = merged.has_value();
            merged_timestamp_ms = std::max(merged_timestamp_ms, row.timestamp_ms);
          }
          return true;
        }));
    TAILRACE_RETURN_IF_ERROR(budget.status());
    if (too_large) return TooLarge(store);
  }
  if (merges && merged) SetValue(response->mutable_merged(), store, *merged, merged_timestamp_ms, json_only);
  bool known = response->rows_size() > 0;
  if (!known) {
    const TimeRange everything = Retained(view, store, TimeRange{});
    TAILRACE_RETURN_IF_ERROR(view.view->FetchRange(store.name, key, everything.from_ms, everything.last_ms(),
                                                   [&known](const state::Row&) {
                                                     known = true;
                                                     return false;
                                                   }));
  }
  response->set_key_known(known);
  return absl::OkStatus();
}

absl::Status QueryHandlers::Handle(const v1::ScanRequest& request, const Deadline& deadline,
                                   v1::ScanResponse* response) const {
  TAILRACE_RETURN_IF_ERROR(deadline.Check());
  TAILRACE_ASSIGN_OR_RETURN(const StoreInfo store, FindStore(queryable_, request.store()));
  TAILRACE_RETURN_IF_ERROR(CheckRange(request, store));
  TAILRACE_ASSIGN_OR_RETURN(const size_t page_size,
                            PageSize(request.page_size(), base::limits::kPageSizeDefault, base::limits::kPageSizeMax));
  const TimeRange range = RangeOf(request);
  const uint64_t hash = ScanHash(store.name, range, request.key_prefix());
  std::optional<state::ReadView::WindowCursor> after;
  if (!request.page_token().empty()) {
    TAILRACE_ASSIGN_OR_RETURN(PageToken token, PageToken::DecodeFor(request.page_token(), hash));
    after = {token.window_start_ms, std::move(token.key)};
  }
  TAILRACE_ASSIGN_OR_RETURN(const std::vector<StoreView> views, ViewsOf(queryable_, store, request));
  SetSources(response, views, store);
  response->set_expired(AllExpired(views, store, range));
  // JSON stands beside the bytes in the answer, so half of the limit is for the bytes.
  TAILRACE_ASSIGN_OR_RETURN(const RowPage page, ScanRows(views, store, range, after, page_size,
                                                         base::limits::kQueryAnswerBytesMax / 2, deadline,
                                                         request.key_prefix()));
  size_t bytes = 0;
  bool cut = false;
  for (const OwnedRow& row : page.rows) {
    v1::Row* out = response->add_rows();
    SetRow(out, store, row.view(), request.read_options().json_only());
    bytes += out->ByteSizeLong();
    if (bytes > base::limits::kQueryAnswerBytesMax && response->rows_size() > 1) {
      response->mutable_rows()->RemoveLast();
      cut = true;
      break;
    }
  }
  if ((page.more || cut) && response->rows_size() > 0) {
    const OwnedRow& last = page.rows[static_cast<size_t>(response->rows_size() - 1)];
    response->set_next_page_token(PageToken{hash, range.from_ms, range.to_ms, last.window_start_ms, last.key}.Encode());
  }
  return absl::OkStatus();
}

absl::Status QueryHandlers::Handle(const v1::ListKeysRequest& request, const Deadline& deadline,
                                   v1::ListKeysResponse* response) const {
  TAILRACE_RETURN_IF_ERROR(deadline.Check());
  TAILRACE_ASSIGN_OR_RETURN(const StoreInfo store, FindStore(queryable_, request.store()));
  TAILRACE_RETURN_IF_ERROR(CheckRange(request, store));
  TAILRACE_ASSIGN_OR_RETURN(const size_t page_size, PageSize(request.page_size(), base::limits::kKeyPageSizeDefault,
                                                             base::limits::kKeyPageSizeMax));
  if (!request.positive_field().empty() && !store.schema) {
    return QueryError(absl::StatusCode::kInvalidArgument, reason::kNoSchema,
                      "store " + store.name + " has no value schema, so positive_field does not apply");
  }
  const TimeRange range = RangeOf(request);
  const uint64_t hash = ListKeysHash(store.name, range, request.positive_field());
  std::optional<std::string> after;
  if (!request.page_token().empty()) {
    TAILRACE_ASSIGN_OR_RETURN(PageToken token, PageToken::DecodeFor(request.page_token(), hash));
    after = std::move(token.key);
  }
  TAILRACE_ASSIGN_OR_RETURN(const std::vector<StoreView> views, ViewsOf(queryable_, store, request));
  SetSources(response, views, store);
  TAILRACE_ASSIGN_OR_RETURN(KeyPage page,
                            ScanKeys(views, store, range, request.positive_field(), after, page_size, deadline));
  size_t bytes = 0;
  for (std::string& key : page.keys) {
    v1::Key* out = response->add_keys();
    out->set_json(KeyJson(store, key));
    out->set_data(std::move(key));
    bytes += out->ByteSizeLong();
    if (bytes > base::limits::kQueryAnswerBytesMax) {
      page.more |= static_cast<size_t>(response->keys_size()) < page.keys.size();
      break;
    }
  }
  if (page.more) {
    const std::string& last = response->keys(response->keys_size() - 1).data();
    response->set_next_page_token(PageToken{hash, range.from_ms, range.to_ms, state::kNoWindow, last}.Encode());
  }
  return absl::OkStatus();
}

absl::Status QueryHandlers::Handle(const v1::TopRequest& request, const Deadline& deadline,
                                   v1::TopResponse* response) const {
  TAILRACE_RETURN_IF_ERROR(deadline.Check());
  TAILRACE_ASSIGN_OR_RETURN(const StoreInfo store, FindStore(queryable_, request.store()));
  TAILRACE_RETURN_IF_ERROR(CheckRange(request, store));
  TAILRACE_ASSIGN_OR_RETURN(const Ranking ranking, RankingOf(request, store));
  TAILRACE_ASSIGN_OR_RETURN(const std::vector<StoreView> views, ViewsOf(queryable_, store, request));
  SetSources(response, views, store);
  const TimeRange range = RangeOf(request);
  response->set_expired(AllExpired(views, store, range));
  TAILRACE_ASSIGN_OR_RETURN(const std::vector<RankedKey> ranked,
                            RankKeys(views, store, range, ranking, deadline));
  size_t bytes = 0;
  for (const RankedKey& entry : ranked) {
    v1::TopEntry* out = response->add_entries();
    out->set_key(entry.key);
    out->set_key_json(KeyJson(store, entry.key));
    out->set_score(entry.score);
    if (entry.period_start_ms) SetTimestamp(out->mutable_period_start(), *entry.period_start_ms);
    SetValue(out->mutable_value(), store, entry.value, entry.timestamp_ms,
             request.read_options().json_only());
    bytes += out->ByteSizeLong();
    if (bytes > base::limits::kQueryAnswerBytesMax) return TooLarge(store);
  }
  return absl::OkStatus();
}

absl::Status QueryHandlers::Handle(const v1::DescribeTopologyRequest&, const Deadline&,
                                   v1::DescribeTopologyResponse* response) const {
  SetTopology(response, queryable_.topology());
  return absl::OkStatus();
}

absl::Status QueryHandlers::Handle(const v1::ListTasksRequest&, const Deadline&,
                                   v1::ListTasksResponse* response) const {
  std::vector<processor::TaskInfo> tasks = queryable_.Tasks();
  std::sort(tasks.begin(), tasks.end(),
            [](const processor::TaskInfo& a, const processor::TaskInfo& b) { return a.id < b.id; });
  for (const processor::TaskInfo& task : tasks) SetTask(response->add_tasks(), task);
  response->set_state(std::string(queryable_.state_name()));
  response->set_ready(queryable_.ready());
  return absl::OkStatus();
}

void SetApplication(v1::Application* out, const processor::Queryable& queryable, bool caught_up) {
  out->set_id(queryable.application_id());
  out->set_state(std::string(queryable.state_name()));
  out->set_ready(queryable.ready());
  out->set_caught_up(caught_up);
  std::vector<StoreInfo> stores = queryable.Stores();
  std::sort(stores.begin(), stores.end(), [](const StoreInfo& a, const StoreInfo& b) { return a.name < b.name; });
  for (const StoreInfo& store : stores) SetStore(out->add_stores(), store);
}

}  // namespace tailrace::grpc_api
