#include "query/top.h"

#include <algorithm>
#include <cmath>
#include <memory>
#include <unordered_map>
#include <utility>

#include "query/scan.h"
#include "tailrace/base/check.h"
#include "tailrace/state/trend_score.h"

namespace tailrace::grpc_api {
namespace {

// One key's windows as a slope or a decay sees them, in the order in which they come.
struct Series {
  explicit Series(const TimeRange& range, const Ranking& ranking)
      : slope(std::max<int64_t>(ranking.period_ms, 1)), decay(range.to_ms, std::max<int64_t>(ranking.half_life_ms, 1)) {}

  state::SlopeScore slope;
  state::DecayScore decay;
  std::string period_value;      // the windows of the newest period merged
  int64_t period_start_ms = -1;  // of that period
  bool any_field = false;
};
struct Merged {
  std::string value;
  int64_t timestamp_ms = 0;
  std::unique_ptr<Series> series;  // null when only the merged value counts
};
struct StringHash {
  using is_transparent = void;
  size_t operator()(std::string_view text) const { return std::hash<std::string_view>()(text); }
};
using MergedByKey = std::unordered_map<std::string, Merged, StringHash, std::equal_to<>>;

// Ranks the keys of one task's view.
class TaskRanking {
 public:
  TaskRanking(const processor::StoreInfo& store, const TimeRange& range, const Ranking& ranking)
      : store_(store), range_(range), ranking_(ranking) {}

  absl::Status Read(const processor::StoreView& view, RowBudget& budget);
  MergedByKey& merged() { return merged_; }
  // What the key is ranked by; nullopt when it has no place. `any_field` is set when the field was seen.
  std::optional<double> ScoreOf(Merged& entry, bool& any_field) const;

 private:
  std::optional<double> Field(std::string_view value) const {
    const std::optional<double> number = store_.schema->NumericField(value, ranking_.field);
    return number && !std::isnan(*number) ? number : std::nullopt;
  }
  std::string Union(std::string_view a, std::string_view b) const {
    // Rows come by window start, so where values do not merge the latest stays.
    std::optional<std::string> united = store_.schema->Merge(a, b);
    return united ? *std::move(united) : std::string(b);
  }
  void AddToSeries(Series& series, const state::Row& row) const;
  void EndPeriod(Series& series) const;

  const processor::StoreInfo& store_;
  const TimeRange& range_;
  const Ranking& ranking_;
  MergedByKey merged_;
  size_t bytes_ = 0;
};

absl::Status TaskRanking::Read(const processor::StoreView& view, RowBudget& budget) {
  TAILRACE_RETURN_IF_ERROR(VisitRows(view, store_, range_, std::nullopt, [&](const state::Row& row) {
    if (!budget.Next()) return false;
    if (!ranking_.Includes(row.key)) {
      // In a key-value store the keys with the prefix stand together.
      return store_.kind != state::StoreKind::kKeyValue || row.key.starts_with(ranking_.key_prefix);
    }
    auto found = merged_.find(row.key);
    if (found == merged_.end()) {
      bytes_ += sizeof(Merged) + row.key.size() + row.value.size();
      found = merged_.emplace(std::string(row.key), Merged{std::string(row.value), row.timestamp_ms, nullptr}).first;
      if (ranking_.score != RankScore::kMerged) {
        bytes_ += sizeof(Series) + row.value.size();
        found->second.series = std::make_unique<Series>(range_, ranking_);
      }
    } else {
      Merged& entry = found->second;
      const size_t before = entry.value.size();
      entry.value = Union(entry.value, row.value);
      entry.timestamp_ms = std::max(entry.timestamp_ms, row.timestamp_ms);
      bytes_ += entry.value.size() - std::min(before, entry.value.size());
    }
    if (found->second.series) AddToSeries(*found->second.series, row);
    return bytes_ <= base::limits::kRankingBytesMax;
  }, ranking_.key_prefix));
  TAILRACE_RETURN_IF_ERROR(budget.status());
  if (bytes_ > base::limits::kRankingBytesMax) {
    return QueryError(absl::StatusCode::kResourceExhausted, reason::kTooLarge,
                      "the range holds too many keys of store " + store_.name + " to rank them; ask for a shorter range");
  }
  return absl::OkStatus();
}

void TaskRanking::AddToSeries(Series& series, const state::Row& row) const {
  if (ranking_.score == RankScore::kDecay) {
    const std::optional<double> number = Field(row.value);
    if (number) series.decay.Add(row.window_start_ms, *number);
    series.any_field = series.any_field || number.has_value();
    return;
  }
  const int64_t start_ms = PeriodStart(row.window_start_ms, ranking_.period_ms, store_.window_size_ms, range_);
  if (start_ms == series.period_start_ms) {
    series.period_value = Union(series.period_value, row.value);
    return;
  }
  EndPeriod(series);
  series.period_start_ms = start_ms;
  series.period_value = row.value;
}

void TaskRanking::EndPeriod(Series& series) const {
  if (series.period_value.empty()) return;
  const std::optional<double> number = Field(series.period_value);
  if (number) series.slope.Add(series.period_start_ms, *number);
  series.any_field = series.any_field || number.has_value();
  series.period_value.clear();
}

std::optional<double> TaskRanking::ScoreOf(Merged& entry, bool& any_field) const {
  if (!entry.series) {
    const std::optional<double> number = Field(entry.value);
    any_field = any_field || number.has_value();
    return number;
  }
  Series& series = *entry.series;
  EndPeriod(series);
  any_field = any_field || series.any_field;
  if (!series.any_field) return std::nullopt;
  return ranking_.score == RankScore::kSlope ? series.slope.score() : std::optional<double>(series.decay.score());
}

absl::Status UnknownField(const processor::StoreInfo& store, std::string_view field, std::string_view example) {
  std::string message = "no value of store " + store.name + " has a numeric field '" + std::string(field) + "'";
  constexpr size_t kExampleMax = 300;
  if (std::optional<std::string> json = store.schema->ValueToJson(example); json && json->size() <= kExampleMax) {
    message += "; a value looks like " + *json;
  }
  return QueryError(absl::StatusCode::kInvalidArgument, reason::kUnknownField, message, {{"field", std::string(field)}});
}

}  // namespace

bool RanksBefore(const RankedKey& a, const RankedKey& b, bool ascending) {
  if (a.score != b.score) return ascending ? a.score < b.score : a.score > b.score;
  return a.key < b.key;
}

int64_t PeriodStart(int64_t window_start_ms, int64_t period_ms, int64_t window_size_ms, const TimeRange& range) {
  TAILRACE_CHECK(period_ms > 0 && window_size_ms > 0, "periods are made of windows");
  if (range.to_ms == TimeRange::kOpen) return window_start_ms - window_start_ms % period_ms;
  const int64_t end_ms = (range.to_ms + window_size_ms - 1) / window_size_ms * window_size_ms;
  const int64_t periods_back = (end_ms - window_start_ms + period_ms - 1) / period_ms;
  return end_ms - periods_back * period_ms;
}

absl::StatusOr<std::vector<RankedKey>> RankKeys(const std::vector<processor::StoreView>& views,
                                                const processor::StoreInfo& store, const TimeRange& range,
                                                const Ranking& ranking, const Deadline& deadline) {
  if (!store.schema) {
    return QueryError(absl::StatusCode::kInvalidArgument, reason::kNoSchema,
                      "store " + store.name + " has no value schema, so its entries cannot be ranked by a field");
  }
  std::vector<RankedKey> best;
  if (range.empty() || ranking.n == 0) return best;
  const auto before = [&ranking](const RankedKey& a, const RankedKey& b) { return RanksBefore(a, b, ranking.ascending); };
  RowBudget budget(deadline);
  bool any_field = false, any_row = false;
  std::string example;
  // A key lives in one task only, so each task is ranked by itself and the heap carries over.
  for (const processor::StoreView& view : views) {
    TaskRanking task(store, range, ranking);
    TAILRACE_RETURN_IF_ERROR(task.Read(view, budget));
    for (auto& [key, entry] : task.merged()) {
      any_row = true;
      const std::optional<double> score = task.ScoreOf(entry, any_field);
      if (!score) {
        if (example.empty()) example = entry.value;
        continue;
      }
      RankedKey candidate{key, std::move(entry.value), entry.timestamp_ms, *score, std::nullopt};
      if (ranking.score == RankScore::kSlope) candidate.period_start_ms = entry.series->slope.start_ms();
      if (best.size() == ranking.n) {
        if (!before(candidate, best.front())) continue;
        std::pop_heap(best.begin(), best.end(), before);
        best.pop_back();
      }
      best.push_back(std::move(candidate));
      std::push_heap(best.begin(), best.end(), before);  // The worst of the best is at the front.
    }
  }
  if (!any_field && any_row) return UnknownField(store, ranking.field, example);
  std::sort_heap(best.begin(), best.end(), before);
  return best;
}

}  // namespace tailrace::grpc_api
