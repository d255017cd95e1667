#include "query/top.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <unordered_map>
#include <utility>

#include "query/scan.h"

namespace tailrace::grpc_api {
namespace {

struct Merged {
  std::string value;
  int64_t timestamp_ms = 0;
};
struct StringHash {
  using is_transparent = void;
  size_t operator()(std::string_view text) const { return std::hash<std::string_view>()(text); }
};
using MergedByKey = std::unordered_map<std::string, Merged, StringHash, std::equal_to<>>;

// Adds one task's rows. Rows come by window start, so where values do not merge the latest stays.
absl::Status MergeRows(const processor::StoreView& view, const processor::StoreInfo& store, const TimeRange& range,
                       RowBudget& budget, MergedByKey& merged) {
  size_t bytes = 0;
  TAILRACE_RETURN_IF_ERROR(VisitRows(view, store, range, std::nullopt, [&](const state::Row& row) {
    if (!budget.Next()) return false;
    const auto found = merged.find(row.key);
    if (found == merged.end()) {
      bytes += sizeof(Merged) + row.key.size() + row.value.size();
      merged.emplace(std::string(row.key), Merged{std::string(row.value), row.timestamp_ms});
    } else {
      Merged& entry = found->second;
      const size_t before = entry.value.size();
      std::optional<std::string> united = store.schema->Merge(entry.value, row.value);
      entry.value = united ? *std::move(united) : std::string(row.value);
      entry.timestamp_ms = std::max(entry.timestamp_ms, row.timestamp_ms);
      bytes += entry.value.size() - std::min(before, entry.value.size());
    }
    return bytes <= base::limits::kRankingBytesMax;
  }));
  TAILRACE_RETURN_IF_ERROR(budget.status());
  if (bytes > base::limits::kRankingBytesMax) {
    return QueryError(absl::StatusCode::kResourceExhausted, reason::kTooLarge,
                      "the range holds too many keys of store " + store.name + " to rank them; ask for a shorter range");
  }
  return absl::OkStatus();
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

absl::StatusOr<std::vector<RankedKey>> RankKeys(const std::vector<processor::StoreView>& views,
                                                const processor::StoreInfo& store, const TimeRange& range,
                                                std::string_view field, bool ascending, size_t n,
                                                const Deadline& deadline) {
  if (!store.schema) {
    return QueryError(absl::StatusCode::kInvalidArgument, reason::kNoSchema,
                      "store " + store.name + " has no value schema, so its entries cannot be ranked by a field");
  }
  std::vector<RankedKey> best;
  if (range.empty() || n == 0) return best;
  const auto before = [ascending](const RankedKey& a, const RankedKey& b) { return RanksBefore(a, b, ascending); };
  RowBudget budget(deadline);
  bool any_field = false;
  std::string example;
  // A key lives in one task only, so each task is ranked by itself and the heap carries over.
  for (const processor::StoreView& view : views) {
    MergedByKey merged;
    TAILRACE_RETURN_IF_ERROR(MergeRows(view, store, range, budget, merged));
    for (auto& [key, entry] : merged) {
      const std::optional<double> score = store.schema->NumericField(entry.value, field);
      if (!score || std::isnan(*score)) {
        if (example.empty()) example = entry.value;
        continue;
      }
      any_field = true;
      RankedKey candidate{key, std::move(entry.value), entry.timestamp_ms, *score};
      if (best.size() == n) {
        if (!before(candidate, best.front())) continue;
        std::pop_heap(best.begin(), best.end(), before);
        best.pop_back();
      }
      best.push_back(std::move(candidate));
      std::push_heap(best.begin(), best.end(), before);  // The worst of the best is at the front.
    }
  }
  if (!any_field && budget.rows() > 0) return UnknownField(store, field, example);
  std::sort_heap(best.begin(), best.end(), before);
  return best;
}

}  // namespace tailrace::grpc_api
