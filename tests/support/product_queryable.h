// One worker that holds any stores a test names, with JSON text as values: what stands behind the product routes.
//
//   ProductQueryable worker;
//   worker.AddWindowStore("trends", 3'600'000, 8 * 86'400'000LL, {{"count", Union::kSum}});
//   worker.Put("trends", "quake", start_ms, R"({"count":3})");
#pragma once

#include <algorithm>
#include <functional>
#include <limits>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "tailrace/base/murmur2.h"
#include "tailrace/processor/query.h"

namespace tailrace::testing {

// What a field of several windows is together. Of kMean the weight is another field, added up.
enum class Union { kSum, kMin, kMax, kMean };
struct UnionOf {
  Union how = Union::kSum;
  std::string weight;
};
using UnionRules = std::map<std::string, UnionOf>;

// Values are JSON objects; fields without a rule keep the later value.
class JsonSchema : public state::ValueSchema {
 public:
  explicit JsonSchema(UnionRules rules) : rules_(std::move(rules)) {}

  std::optional<std::string> KeyToJson(std::string_view key) const override { return nlohmann::json(key).dump(); }
  std::optional<std::string> ValueToJson(std::string_view value) const override { return std::string(value); }
  std::optional<std::string> KeyFromText(std::string_view text) const override { return std::string(text); }
  std::optional<std::string> Merge(std::string_view a, std::string_view b) const override {
    const nlohmann::json left = nlohmann::json::parse(a);
    nlohmann::json merged = nlohmann::json::parse(b);
    const nlohmann::json right = merged;
    for (const auto& [field, rule] : rules_) {
      const auto x = left.value(field, 0.0), y = right.value(field, 0.0);
      switch (rule.how) {
        case Union::kSum: merged[field] = x + y; break;
        case Union::kMin: merged[field] = std::min(x, y); break;
        case Union::kMax: merged[field] = std::max(x, y); break;
        case Union::kMean: {
          const double wx = left.value(rule.weight, 1.0), wy = right.value(rule.weight, 1.0);
          merged[field] = (x * wx + y * wy) / (wx + wy);
        }
      }
    }
    return merged.dump();
  }
  std::optional<double> NumericField(std::string_view value, std::string_view field) const override {
    const nlohmann::json object = nlohmann::json::parse(value);
    const auto found = object.find(field);
    if (found == object.end() || !found->is_number()) return std::nullopt;
    return found->get<double>();
  }

 private:
  const UnionRules rules_;
};

class ProductQueryable : public processor::Queryable {
 public:
  static constexpr int32_t kPartitions = 3;

  void AddWindowStore(const std::string& name, int64_t window_ms, int64_t retention_ms, UnionRules rules) {
    stores_[name] = {{name, state::StoreKind::kWindow, window_ms, retention_ms, 0, kPartitions,
                      std::make_shared<JsonSchema>(std::move(rules))}, {}};
  }
  void AddKeyValueStore(const std::string& name) {
    stores_[name] = {{name, state::StoreKind::kKeyValue, 0, 0, 0, kPartitions, std::make_shared<JsonSchema>(UnionRules{})}, {}};
  }
  // Everything is put before the worker is asked, except where a test takes care of that itself.
  void Put(const std::string& store, const std::string& key, int64_t start_ms, const std::string& json) {
    const std::lock_guard lock(mu_);
    stores_.at(store).rows[{start_ms, key}] = json;
  }
  void Put(const std::string& store, const std::string& key, const std::string& json) { Put(store, key, state::kNoWindow, json); }
  void SetRetentionStart(int64_t ms) {
    const std::lock_guard lock(mu_);
    retention_start_ms_ = ms;
  }
  // The address under which the worker is reached; set once, while the servers that watch it are there.
  void SetEndpoint(const std::string& endpoint) {
    routing_.epoch = 1;
    processor::WorkerRoute route{"worker-0", endpoint, {}, {}};
    for (int32_t p = 0; p < kPartitions; ++p) route.active.push_back({0, base::Partition(p)});
    std::vector<std::function<void(const processor::RoutingTable&)>> watchers;
    {
      const std::lock_guard lock(mu_);
      routing_.workers = {route};
      watchers = watchers_;
    }
    for (const auto& watcher : watchers) watcher(routing_);
  }

  const std::string& application_id() const override { return application_id_; }
  bool ready() const override { return true; }
  std::string_view state_name() const override { return "RUNNING"; }
  std::vector<processor::StoreInfo> Stores() const override {
    std::vector<processor::StoreInfo> stores;
    for (const auto& [name, store] : stores_) stores.push_back(store.info);
    return stores;
  }
  absl::StatusOr<processor::StoreInfo> Store(std::string_view name) const override {
    const auto found = stores_.find(std::string(name));
    if (found != stores_.end()) return found->second.info;
    return base::Error(base::Reaction::kFatal, absl::StatusCode::kNotFound, "there is no store '" + std::string(name) + "'");
  }
  absl::StatusOr<std::vector<processor::StoreView>> Views(std::string_view name) const override {
    const std::lock_guard lock(mu_);
    std::vector<processor::StoreView> views;
    for (int32_t p = 0; p < kPartitions; ++p) {
      Rows rows;
      for (const auto& [at, json] : stores_.at(std::string(name)).rows) {
        if (base::PartitionForKey(at.second, kPartitions).value() == p) rows.emplace(at, json);
      }
      views.push_back({{0, base::Partition(p)}, processor::TaskRole::kActive, 0,
                       std::make_shared<View>(std::move(rows), retention_start_ms_)});
    }
    return views;
  }
  std::vector<processor::TaskInfo> Tasks() const override { return {}; }
  processor::RoutingTable Routing() const override {
    const std::lock_guard lock(mu_);
    return routing_;
  }
  std::unique_ptr<processor::Subscription> WatchRouting(
      std::function<void(const processor::RoutingTable&)> on_change) override {
    const std::lock_guard lock(mu_);
    watchers_.push_back(std::move(on_change));
    return std::make_unique<Nothing>();
  }
  const processor::TopologyDescription& topology() const override { return topology_; }
  absl::StatusOr<std::unique_ptr<processor::Subscription>> Subscribe(std::string_view, processor::UpdateSink) override {
    return std::unique_ptr<processor::Subscription>(std::make_unique<Nothing>());
  }

 private:
  using Rows = std::map<std::pair<int64_t, std::string>, std::string>;
  struct Held {
    processor::StoreInfo info;
    Rows rows;
  };
  class Nothing : public processor::Subscription {};

  class View : public state::ReadView {
   public:
    View(Rows rows, int64_t retention_start_ms) : rows_(std::move(rows)), retention_start_ms_(retention_start_ms) {}
    const state::Position& position() const override { return position_; }
    int64_t stream_time_ms() const override { return -1; }
    base::Offset changelog_offset(std::string_view) const override { return base::kOffsetUnknown; }
    int64_t retention_start_ms(std::string_view) const override { return retention_start_ms_; }
    absl::StatusOr<std::optional<Value>> Get(std::string_view store, std::string_view key) const override {
      return GetWindow(store, key, state::kNoWindow);
    }
    absl::StatusOr<std::optional<Value>> GetWindow(std::string_view, std::string_view key, int64_t start) const override {
      const auto found = rows_.find({start, std::string(key)});
      return found == rows_.end() ? std::nullopt : std::optional<Value>({found->second, 1});
    }
    absl::Status FetchRange(std::string_view, std::string_view key, int64_t from_ms, int64_t to_ms,
                            state::RowVisitor visitor) const override {
      for (const auto& [at, json] : rows_) {
        if (at.second != key || at.first < from_ms || at.first > to_ms) continue;
        if (!visitor({at.second, at.first, json, 1})) break;
      }
      return absl::OkStatus();
    }
    absl::Status FetchAll(std::string_view, int64_t from_ms, int64_t to_ms, const std::optional<WindowCursor>& after,
                          state::RowVisitor visitor) const override {
      for (const auto& [at, json] : rows_) {
        if (at.first < from_ms || at.first > to_ms) continue;
        if (after && at <= std::pair(after->window_start_ms, after->key)) continue;
        if (!visitor({at.second, at.first, json, 1})) break;
      }
      return absl::OkStatus();
    }
    absl::Status Range(std::string_view, std::optional<std::string_view> from, std::optional<std::string_view> to,
                       std::optional<std::string_view> after, state::RowVisitor visitor) const override {
      for (const auto& [at, json] : rows_) {
        const std::string& key = at.second;
        if ((from && key < *from) || (to && key > *to) || (after && key <= *after)) continue;
        if (!visitor({key, state::kNoWindow, json, 1})) break;
      }
      return absl::OkStatus();
    }

   private:
    const Rows rows_;
    const int64_t retention_start_ms_;
    const state::Position position_;
  };

  const std::string application_id_ = "product";
  const processor::TopologyDescription topology_;
  processor::RoutingTable routing_;
  std::map<std::string, Held> stores_;
  mutable std::mutex mu_;
  std::vector<std::function<void(const processor::RoutingTable&)>> watchers_;
  int64_t retention_start_ms_ = std::numeric_limits<int64_t>::min();
};

}  // namespace tailrace::testing
