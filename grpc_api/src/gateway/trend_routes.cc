#include <algorithm>
#include <map>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "common/text_case.h"
#include "gateway/periods.h"
#include "gateway/route_support.h"
#include "gateway/routes.h"
#include "gateway/times.h"
#include "tailrace/base/limits.h"
#include "tailrace/base/product_limits.h"
#include "tailrace/state/trend_score.h"

namespace tailrace::grpc_api {
namespace {

constexpr std::string_view kTrends = "trends";
constexpr std::string_view kTrendsByPlace = "trends-by-place";
constexpr std::string_view kTrendsByGroup = "trends-by-group";
constexpr std::string_view kWordCounts = "word-counts";
constexpr std::string_view kLanguageCounts = "language-counts";
constexpr int64_t kHistoryMs = 7 * kDayMs;
// Without a half-life given: this many windows. The range then begins this many half-lives back, where a count is a
// thousandth of itself.
constexpr int64_t kHalfLifeWindows = 6;
constexpr int64_t kHalfLivesBack = 10;
// Languages are looked for in windows that ended so long ago at most.
constexpr int64_t kLanguageLookBackMs = 20'000;

// What both forms of the route ask for.
struct Selection {
  std::string_view store = kTrends;
  std::string key_prefix;
  std::string place, group, source;
};

class TrendRoutes {
 public:
  explicit TrendRoutes(const RouteContext& context) : context_(context) {}

  HttpResponse Trends(const HttpRequest& request) const;
  HttpResponse Languages(const HttpRequest& request) const;

 private:
  struct History {
    std::string topic;
    std::string_view role;
    std::vector<std::pair<int64_t, double>> points;  // by period start
    double total = 0;
    bool known = false;
    bool expired = false;
    int64_t last_seen_ms = -1;
    std::optional<double> all_time;  // of the source asked for
  };

  HttpResponse Rank(const HttpRequest& request, Parameters& parameters, const Selection& selection) const;
  HttpResponse RankSource(const HttpRequest& request, Parameters& parameters, const Selection& selection) const;
  HttpResponse Compare(const HttpRequest& request, Parameters& parameters, const Selection& selection) const;
  absl::StatusOr<History> HistoryOf(std::string topic, std::string_view role, const Selection& selection,
                                    const WindowRange& range, int64_t period_ms, const absl::TimeZone& zone) const;
  absl::StatusOr<std::optional<std::string>> Hottest(const Selection& selection, const WindowRange& range,
                                                     const std::string& except) const;

  const RouteContext context_;
};

// A topic as the pipeline writes words.
std::string Topic(std::string_view text) {
  std::string word = LowerCase(text);
  if (word.starts_with('#')) word.erase(0, 1);
  return word;
}

// The word of a key "place|word".
std::string WordOf(const TopEntry& entry, const Selection& selection) {
  return TextOfKey(entry.key, entry.key_json).substr(selection.key_prefix.size());
}

Selection Select(Parameters& parameters) {
  Selection selection;
  selection.place = parameters.Text("place");
  selection.group = parameters.Text("group");
  selection.source = parameters.Text("source");
  if (!selection.place.empty() && !selection.group.empty()) {
    parameters.AddError("group", "does not go with place: words are counted by place or by group");
  }
  if (!selection.place.empty()) {
    selection.store = kTrendsByPlace;
    selection.key_prefix = selection.place + "|";
  } else if (!selection.group.empty()) {
    selection.store = kTrendsByGroup;
    selection.key_prefix = selection.group + "|";
  }
  return selection;
}

void WriteSelection(JsonWriter& json, const Selection& selection) {
  for (const auto& [name, value] : {std::pair<std::string_view, const std::string&>{"place", selection.place},
                                    {"group", selection.group},
                                    {"source", selection.source}}) {
    if (!value.empty()) json.Key(name).String(value);
  }
}

// The length of a period, checked against the store's windows where the store is known.
int64_t PeriodOf(Parameters& parameters, const absl::StatusOr<StoreDescription>& store) {
  const std::optional<int64_t> asked = parameters.DurationMs("period");
  if (!store.ok()) return asked.value_or(3'600'000);
  if (store->window_size_ms <= 0) {
    parameters.AddError("period", "does not apply: store " + store->name + " has no windows");
    return asked.value_or(3'600'000);
  }
  const int64_t period_ms = asked.value_or(store->window_size_ms);
  if (asked && period_ms % store->window_size_ms != 0) {
    parameters.AddError("period", "is not a multiple of " + std::to_string(store->window_size_ms / 1000) +
                                      " s, the period by which words are counted");
    return store->window_size_ms;
  }
  return period_ms;
}

HttpResponse TrendRoutes::Trends(const HttpRequest& request) const {
  Parameters parameters(request.query, context_.clock);
  const Selection selection = Select(parameters);
  const bool compare = !parameters.Text("topic").empty() || !parameters.Text("topic2").empty();
  if (compare) return Compare(request, parameters, selection);
  return selection.source.empty() ? Rank(request, parameters, selection) : RankSource(request, parameters, selection);
}

HttpResponse TrendRoutes::Rank(const HttpRequest& request, Parameters& parameters, const Selection& selection) const {
  const absl::StatusOr<StoreDescription> store = context_.client.Store(selection.store, context_.Options());
  TopQuery query{.store = std::string(selection.store), .field = "count", .key_prefix = selection.key_prefix};
  const std::string score = parameters.OneOf("score", "slope", {"slope", "decay", "count"});
  query.n = parameters.Int("n", 10, 1, base::limits::kTopEntriesMax);
  query.period_ms = PeriodOf(parameters, store);
  const int64_t window_ms = store.ok() ? std::max<int64_t>(store->window_size_ms, 1) : query.period_ms;
  const std::optional<int64_t> half_life = parameters.DurationMs("half_life");
  if (half_life && score != "decay") parameters.AddError("half_life", "applies to score=decay only");
  query.half_life_ms = half_life.value_or(kHalfLifeWindows * window_ms);
  const bool has_from = parameters.Has("from");
  query.range = parameters.Range(std::max<int64_t>(query.period_ms, 3'600'000));
  const absl::TimeZone zone = parameters.Zone();
  if (!parameters.Finish()) return Invalid(request, parameters);
  if (!store.ok()) return Failed(request, store.status());

  query.range = AlignedToWindows(query.range, window_ms);
  if (score == "decay") {
    query.score = TopScore::kDecay;
    if (!has_from) query.range.from_ms = std::max<int64_t>(query.range.to_ms - kHalfLivesBack * query.half_life_ms, 0);
    query.range = AlignedToWindows(query.range, window_ms);
  } else if (score == "slope") {
    // Whole periods, counted back from the end of the window that is under way: by default that one and the one before.
    query.score = TopScore::kSlope;
    const int64_t end_ms = (query.range.to_ms + window_ms - 1) / window_ms * window_ms;
    const int64_t periods = has_from ? (end_ms - query.range.from_ms + query.period_ms - 1) / query.period_ms : 2;
    query.range.from_ms = std::max<int64_t>(end_ms - periods * query.period_ms, 0);
  }
  const absl::StatusOr<TopAnswer> answer = context_.client.Top(query, context_.Options());
  if (!answer.ok()) return Failed(request, answer.status());
  if (answer->expired) return Expired(request, *store);
  JsonWriter json;
  json.BeginObject();
  json.Key("score").String(score);
  WriteSelection(json, selection);
  json.Key("period_ms").Int(query.period_ms);
  json.Key("half_life_ms");
  score == "decay" ? json.Int(query.half_life_ms) : json.Null();
  json.Key("from").String(FormatTime(query.range.from_ms, zone));
  json.Key("to").String(FormatTime(query.range.to_ms, zone));
  json.Key("items").BeginArray();
  for (const TopEntry& entry : answer->entries) {
    json.BeginObject();
    json.Key("topic").String(WordOf(entry, selection));
    json.Key("score").Number(entry.score);
    json.Key("count").Number(NumberOf(ObjectOf(entry.value.json), "count"));
    json.Key("period_start");
    entry.period_start_ms ? json.String(FormatTime(*entry.period_start_ms, zone)) : json.Null();
    json.EndObject();
  }
  json.EndArray().EndObject();
  return JsonResponse(std::move(json).Take());
}

// Counts per source are kept for all time and not by period.
HttpResponse TrendRoutes::RankSource(const HttpRequest& request, Parameters& parameters,
                                     const Selection& selection) const {
  TopQuery query{.store = std::string(kWordCounts), .field = "count", .key_prefix = selection.source + "|"};
  const std::string score = parameters.OneOf("score", "count", {"slope", "decay", "count"});
  if (score != "count") parameters.AddError("score", "is count where a source is given: words of a source are counted over all time");
  query.n = parameters.Int("n", 10, 1, base::limits::kTopEntriesMax);
  for (const char* name : {"place", "group", "period", "half_life", "from", "to"}) {
    if (parameters.Has(name)) parameters.AddError(name, "does not go with source: words of a source are counted over all time");
  }
  parameters.Zone();
  if (!parameters.Finish()) return Invalid(request, parameters);
  const absl::StatusOr<TopAnswer> answer = context_.client.Top(query, context_.Options());
  if (!answer.ok()) return Failed(request, answer.status());
  JsonWriter json;
  json.BeginObject();
  json.Key("score").String("count");
  json.Key("source").String(selection.source);
  for (const char* name : {"period_ms", "half_life_ms", "from", "to"}) json.Key(name).Null();
  json.Key("items").BeginArray();
  for (const TopEntry& entry : answer->entries) {
    json.BeginObject();
    json.Key("topic").String(TextOfKey(entry.key, entry.key_json).substr(query.key_prefix.size()));
    json.Key("score").Number(entry.score);
    json.Key("count").Number(entry.score);
    json.Key("period_start").Null();
    json.EndObject();
  }
  json.EndArray().EndObject();
  return JsonResponse(std::move(json).Take());
}

absl::StatusOr<TrendRoutes::History> TrendRoutes::HistoryOf(std::string topic, std::string_view role,
                                                            const Selection& selection, const WindowRange& range,
                                                            int64_t period_ms, const absl::TimeZone& zone) const {
  History history{.topic = std::move(topic), .role = role};
  TAILRACE_ASSIGN_OR_RETURN(const WindowsAnswer answer,
                            context_.client.FetchWindows(selection.store, selection.key_prefix + history.topic, range,
                                                         /*merge=*/false, context_.Options()));
  history.known = answer.key_known;
  history.expired = answer.expired;
  for (const QueryRow& row : answer.rows) {
    const double count = NumberOf(ObjectOf(row.value.json), "count");
    const int64_t start_ms = CalendarPeriodStart(row.window_start_ms, period_ms, zone);
    if (history.points.empty() || history.points.back().first != start_ms) history.points.emplace_back(start_ms, 0);
    history.points.back().second += count;
    history.total += count;
    history.last_seen_ms = row.window_start_ms;
  }
  if (!selection.source.empty()) {
    TAILRACE_ASSIGN_OR_RETURN(const PointAnswer count, context_.client.Get(kWordCounts, selection.source + "|" + history.topic,
                                                                           std::nullopt, context_.Options()));
    history.all_time = count.found ? NumberOf(ObjectOf(count.row.value.json), "count") : 0;
  }
  return history;
}

absl::StatusOr<std::optional<std::string>> TrendRoutes::Hottest(const Selection& selection, const WindowRange& range,
                                                                const std::string& except) const {
  TAILRACE_ASSIGN_OR_RETURN(const TopAnswer top,
                            context_.client.Top({.store = std::string(selection.store), .field = "count", .n = 2, .range = range,
                                                 .key_prefix = selection.key_prefix},
                                                context_.Options()));
  for (const TopEntry& entry : top.entries) {
    if (std::string word = WordOf(entry, selection); word != except) return std::optional<std::string>(std::move(word));
  }
  return std::optional<std::string>();
}

HttpResponse TrendRoutes::Compare(const HttpRequest& request, Parameters& parameters, const Selection& selection) const {
  const absl::StatusOr<StoreDescription> store = context_.client.Store(selection.store, context_.Options());
  std::string topic = Topic(parameters.Text("topic"));
  std::string topic2 = Topic(parameters.Text("topic2"));
  if (topic.empty()) std::swap(topic, topic2);
  if (topic.empty()) parameters.AddError("topic", "holds no word");
  for (const auto& [name, word] : {std::pair<const char*, const std::string&>{"topic", topic}, {"topic2", topic2}}) {
    if (word.size() > base::limits::kTopicBytesMax) parameters.AddError(name, "is longer than " + std::to_string(base::limits::kTopicBytesMax) + " bytes");
    if (word.find_first_of(" \t|") != std::string::npos) parameters.AddError(name, "is more than one word: a topic is a single word");
  }
  // They belong to rankings, and change nothing here.
  parameters.OneOf("score", "slope", {"slope", "decay", "count"});
  parameters.Int("n", 10, 1, base::limits::kTopEntriesMax);
  const int64_t period_ms = PeriodOf(parameters, store);
  WindowRange range = parameters.Range(kHistoryMs);
  const std::string zone_name = parameters.Has("zone") ? parameters.Text("zone") : "UTC";
  const absl::TimeZone zone = parameters.Zone();
  if (!parameters.Finish()) return Invalid(request, parameters);
  if (!store.ok()) return Failed(request, store.status());
  range = AlignedToWindows(range, store->window_size_ms);

  std::vector<History> histories;
  absl::StatusOr<History> asked = HistoryOf(topic, "asked", selection, range, period_ms, zone);
  if (!asked.ok()) return Failed(request, asked.status());
  if (asked->expired) return Expired(request, *store);
  histories.push_back(*std::move(asked));
  std::string_view role = "compared";
  if (topic2.empty()) {
    absl::StatusOr<std::optional<std::string>> hottest = Hottest(selection, range, topic);
    if (!hottest.ok()) return Failed(request, hottest.status());
    if (*hottest) topic2 = **std::move(hottest);
    role = "hottest";
  }
  if (!topic2.empty()) {
    absl::StatusOr<History> other = HistoryOf(topic2, role, selection, range, period_ms, zone);
    if (!other.ok()) return Failed(request, other.status());
    histories.push_back(*std::move(other));
  }

  JsonWriter json;
  json.BeginObject();
  json.Key("zone").String(zone_name);
  WriteSelection(json, selection);
  json.Key("period_ms").Int(period_ms);
  json.Key("from").String(FormatTime(range.from_ms, zone));
  json.Key("to").String(FormatTime(range.to_ms, zone));
  json.Key("topics").BeginArray();
  for (const History& history : histories) {
    json.BeginObject();
    json.Key("topic").String(history.topic);
    json.Key("role").String(history.role);
    json.Key("seen").Bool(!history.points.empty());
    if (history.points.empty()) {
      const std::string range_words = range.to_ms - range.from_ms >= kHistoryMs && !parameters.Has("from") && !parameters.Has("to")
                                          ? "in 7 days" : "in this range";
      json.Key("message").String("'" + history.topic + "' was not seen " + range_words + ".");
    }
    json.Key("total").Number(history.total);
    if (history.all_time) json.Key("all_time").Number(*history.all_time);
    json.Key("last_seen");
    history.last_seen_ms >= 0 ? json.String(FormatTime(history.last_seen_ms, zone)) : json.Null();
    state::SlopeScore slope(period_ms);
    for (const auto& [start_ms, count] : history.points) slope.Add(start_ms, count);
    json.Key("slope");
    slope.score() ? json.Number(*slope.score()) : json.Null();
    json.Key("points").BeginArray();
    for (const auto& [start_ms, count] : history.points) {
      json.BeginObject();
      json.Key("start").String(FormatTime(start_ms, zone));
      json.Key("end").String(FormatTime(NextCalendarPeriod(start_ms, period_ms, zone), zone));
      json.Key("count").Number(count);
      json.EndObject();
    }
    json.EndArray().EndObject();
  }
  json.EndArray().EndObject();
  return JsonResponse(std::move(json).Take());
}

HttpResponse TrendRoutes::Languages(const HttpRequest& request) const {
  Parameters parameters(request.query, context_.clock);
  const int64_t at_ms = parameters.Time("at").value_or(context_.clock.WallMs());
  const int n = parameters.Int("n", 10, 1, base::limits::kTopEntriesMax);
  const absl::TimeZone zone = parameters.Zone();
  if (!parameters.Finish()) return Invalid(request, parameters);
  const absl::StatusOr<StoreDescription> store = context_.client.Store(kLanguageCounts, context_.Options());
  if (!store.ok()) return Failed(request, store.status());
  // Windows overlap, so they are not added up: the newest one that is over counts.
  const int64_t last_start_ms = std::max<int64_t>(at_ms - store->window_size_ms, 0);
  const WindowRange range{std::max<int64_t>(last_start_ms - kLanguageLookBackMs, 0), last_start_ms + 1};
  std::vector<std::pair<double, std::string>> counts;
  int64_t start_ms = state::kNoWindow;
  std::string token;
  size_t rows = 0;
  do {
    absl::StatusOr<ScanAnswer> page = context_.client.Scan(kLanguageCounts, range, base::limits::kPageSizeMax, token, context_.Options());
    if (!page.ok()) return Failed(request, page.status());
    if (page->expired) return Expired(request, *store);
    for (const QueryRow& row : page->rows) {
      if (row.window_start_ms != start_ms) counts.clear();
      start_ms = row.window_start_ms;
      counts.emplace_back(NumberOf(ObjectOf(row.value.json), "posts"), TextOfKey(row.key, row.key_json));
    }
    rows += page->rows.size();
    token = std::move(page->next_page_token);
  } while (!token.empty() && rows < base::limits::kLanguageRowsMax);
  double total = 0;
  for (const auto& [posts, language] : counts) total += posts;
  std::sort(counts.begin(), counts.end(), [](const auto& a, const auto& b) {
    return a.first != b.first ? a.first > b.first : a.second < b.second;
  });
  if (counts.size() > static_cast<size_t>(n)) counts.resize(static_cast<size_t>(n));
  JsonWriter json;
  json.BeginObject();
  json.Key("window");
  if (start_ms == state::kNoWindow) {
    json.Null();
  } else {
    json.BeginObject();
    json.Key("start").String(FormatTime(start_ms, zone));
    json.Key("end").String(FormatTime(start_ms + store->window_size_ms, zone));
    json.EndObject();
  }
  json.Key("total").Number(total);
  json.Key("items").BeginArray();
  for (const auto& [posts, language] : counts) {
    json.BeginObject();
    json.Key("language").String(language);
    json.Key("posts").Number(posts);
    json.EndObject();
  }
  json.EndArray().EndObject();
  return JsonResponse(std::move(json).Take());
}

}  // namespace

void AddTrendRoutes(Router& router, const RouteContext& context) {
  const auto routes = std::make_shared<TrendRoutes>(context);  // shared by the handlers below
  router.Add("/api/v1/trends", [routes](const HttpRequest& r, const PathArguments&) { return routes->Trends(r); });
  router.Add("/api/v1/languages", [routes](const HttpRequest& r, const PathArguments&) { return routes->Languages(r); });
}

}  // namespace tailrace::grpc_api
