// An in-memory processor::Queryable for tests of what stands in front of a worker: a window store `city-metrics` and a
// key-value store `totals`, filled by the test, with roles, restoring tasks and live updates at the test's command.
#pragma once

#include <algorithm>
#include <limits>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "tailrace/base/murmur2.h"
#include "tailrace/processor/query.h"

namespace tailrace::testing {

// Values are "posts|retweets|user,user,...": small enough to write by hand, and the users are a set that merges.
struct CityValue {
  int64_t posts = 0;
  int64_t retweets = 0;
  std::set<std::string> users;

  std::string Encode() const {
    std::string text = std::to_string(posts) + "|" + std::to_string(retweets) + "|";
    for (const std::string& user : users) text += (user == *users.begin() ? "" : ",") + user;
    return text;
  }
  static std::optional<CityValue> Decode(std::string_view text) {
    std::istringstream in{std::string(text)};
    CityValue value;
    char bar = 0;
    if (!(in >> value.posts >> bar) || bar != '|' || !(in >> value.retweets >> bar) || bar != '|') return std::nullopt;
    for (std::string user; std::getline(in, user, ',');) value.users.insert(user);
    return value;
  }
};

class CitySchema : public state::ValueSchema {
 public:
  std::optional<std::string> KeyToJson(std::string_view key) const override { return "\"" + std::string(key) + "\""; }
  std::optional<std::string> ValueToJson(std::string_view value) const override {
    const std::optional<CityValue> city = CityValue::Decode(value);
    if (!city) return std::nullopt;
    return "{\"posts\":" + std::to_string(city->posts) + ",\"retweets\":" + std::to_string(city->retweets) +
           ",\"active_users\":" + std::to_string(city->users.size()) + ",\"active_users_exact\":true}";
  }
  std::optional<std::string> KeyFromText(std::string_view text) const override { return std::string(text); }
  std::optional<std::string> Merge(std::string_view a, std::string_view b) const override {
    std::optional<CityValue> left = CityValue::Decode(a), right = CityValue::Decode(b);
    if (!left || !right) return std::nullopt;
    left->posts += right->posts;
    left->retweets += right->retweets;
    left->users.insert(right->users.begin(), right->users.end());
    return left->Encode();
  }
  std::optional<double> NumericField(std::string_view value, std::string_view field) const override {
    const std::optional<CityValue> city = CityValue::Decode(value);
    if (!city) return std::nullopt;
    if (field == "posts") return static_cast<double>(city->posts);
    if (field == "retweets") return static_cast<double>(city->retweets);
    if (field == "active_users") return static_cast<double>(city->users.size());
    return std::nullopt;
  }
};

// Everything that one task holds, and a snapshot of it.
struct FakeTaskData {
  std::map<std::pair<int64_t, std::string>, state::ReadView::Value> windows;
  std::map<std::string, state::ReadView::Value> totals;
  state::Position position;
  int64_t stream_time_ms = -1;
  int64_t retention_start_ms = std::numeric_limits<int64_t>::min();
  int64_t changelog_offset = -4;
};

class FakeView : public state::ReadView {
 public:
  explicit FakeView(FakeTaskData data) : data_(std::move(data)) {}

  const state::Position& position() const override { return data_.position; }
  int64_t stream_time_ms() const override { return data_.stream_time_ms; }
  base::Offset changelog_offset(std::string_view) const override { return base::Offset(data_.changelog_offset); }
  int64_t retention_start_ms(std::string_view store) const override {
    return store == "totals" ? std::numeric_limits<int64_t>::min() : data_.retention_start_ms;
  }
  absl::StatusOr<std::optional<Value>> Get(std::string_view, std::string_view key) const override {
    const auto found = data_.totals.find(std::string(key));
    return found == data_.totals.end() ? std::nullopt : std::optional<Value>(found->second);
  }
  absl::StatusOr<std::optional<Value>> GetWindow(std::string_view, std::string_view key, int64_t start) const override {
    const auto found = data_.windows.find({start, std::string(key)});
    return found == data_.windows.end() ? std::nullopt : std::optional<Value>(found->second);
  }
  absl::Status FetchRange(std::string_view, std::string_view key, int64_t from_ms, int64_t to_ms,
                          state::RowVisitor visitor) const override {
    for (const auto& [at, value] : data_.windows) {
      if (at.second != key || at.first < from_ms || at.first > to_ms) continue;
      if (!visitor({at.second, at.first, value.value, value.timestamp_ms})) break;
    }
    return absl::OkStatus();
  }
  absl::Status FetchAll(std::string_view, int64_t from_ms, int64_t to_ms, const std::optional<WindowCursor>& after,
                        state::RowVisitor visitor) const override {
    for (const auto& [at, value] : data_.windows) {
      if (at.first < from_ms || at.first > to_ms) continue;
      if (after && at <= std::pair(after->window_start_ms, after->key)) continue;
      if (!visitor({at.second, at.first, value.value, value.timestamp_ms})) break;
    }
    return absl::OkStatus();
  }
  absl::Status Range(std::string_view, std::optional<std::string_view> from, std::optional<std::string_view> to,
                     std::optional<std::string_view> after, state::RowVisitor visitor) const override {
    for (const auto& [key, value] : data_.totals) {
      if ((from && key < *from) || (to && key > *to) || (after && key <= *after)) continue;
      if (!visitor({key, state::kNoWindow, value.value, value.timestamp_ms})) break;
    }
    return absl::OkStatus();
  }

 private:
  const FakeTaskData data_;
};

// One worker. Thread-safe.
class FakeQueryable : public processor::Queryable {
 public:
  static constexpr int64_t kWindowMs = 300'000;
  static constexpr char kStore[] = "city-metrics";

  // The window store has the name of its application, without the number of a replay.
  explicit FakeQueryable(int32_t partitions = 4, std::string instance = "worker-0", std::string application_id = kStore,
                         std::string totals = "totals")
      : partitions_(partitions),
        instance_(std::move(instance)),
        application_id_(std::move(application_id)),
        totals_(std::move(totals)) {
    for (int32_t p = 0; p < partitions; ++p) tasks_[p];
    processor::SubtopologyDescription sub;
    sub.nodes.push_back({"source", processor::TopologyNode::Type::kSource, {"posts"}, {}, {}, {"count"}});
    sub.nodes.push_back({"count", processor::TopologyNode::Type::kProcessor, {}, {kStore}, {"source"}, {"sink"}});
    sub.nodes.push_back({"sink", processor::TopologyNode::Type::kSink, {"city-metrics"}, {}, {"count"}, {}});
    topology_.subtopologies.push_back(std::move(sub));
    topology_.text = "Topologies:\n   Sub-topology: 0\n";
  }

  // --- at the test's command -----------------------------------------------------------------------------------------
  int32_t PartitionOf(std::string_view key) const { return base::PartitionForKey(key, partitions_).value(); }
  base::TaskId TaskOf(std::string_view key) const { return {0, base::Partition(PartitionOf(key))}; }

  void Put(const std::string& city, int64_t window_start_ms, const CityValue& value) {
    const std::lock_guard lock(mu_);
    Task& task = tasks_[PartitionOf(city)];
    task.data.windows[{window_start_ms, city}] = {value.Encode(), window_start_ms + 1};
    task.data.stream_time_ms = std::max(task.data.stream_time_ms, window_start_ms + 1);
  }
  void PutTotal(const std::string& key, const std::string& value) {
    const std::lock_guard lock(mu_);
    tasks_[PartitionOf(key)].data.totals[key] = {value, 1};
  }
  // Put, and a commit that subscribers see.
  void Commit(const std::string& city, int64_t window_start_ms, const CityValue& value, int64_t offset) {
    Put(city, window_start_ms, value);
    std::vector<std::shared_ptr<processor::UpdateSink>> sinks;
    {
      const std::lock_guard lock(mu_);
      tasks_[PartitionOf(city)].data.changelog_offset = offset;
      for (const auto& [id, sink] : sinks_) sinks.push_back(sink);
    }
    processor::StoreUpdate update{.task = TaskOf(city), .changelog_offset = base::Offset(offset), .key = city,
                                  .window_start_ms = window_start_ms, .value = value.Encode(),
                                  .timestamp_ms = window_start_ms + 1};
    for (const auto& sink : sinks) (*sink)(update);
  }
  void SetRetentionStart(int64_t ms) {
    const std::lock_guard lock(mu_);
    for (auto& [partition, task] : tasks_) task.data.retention_start_ms = ms;
  }
  void SetPosition(int32_t partition, int64_t offset) {
    const std::lock_guard lock(mu_);
    tasks_[partition].data.position[{"posts", base::Partition(partition)}] = base::Offset(offset);
  }
  // Who holds what here; partitions in neither set are elsewhere.
  void SetHeld(std::set<int32_t> active, std::set<int32_t> standby = {}, int64_t standby_staleness_ms = 0) {
    const std::lock_guard lock(mu_);
    for (auto& [partition, task] : tasks_) {
      task.held = active.contains(partition) || standby.contains(partition);
      task.role = active.contains(partition) ? processor::TaskRole::kActive : processor::TaskRole::kStandby;
      task.staleness_ms = active.contains(partition) ? 0 : standby_staleness_ms;
    }
  }
  void SetRestoring(bool restoring) {
    const std::lock_guard lock(mu_);
    restoring_ = restoring;
  }
  void SetRouting(processor::RoutingTable table) {
    std::vector<std::function<void(const processor::RoutingTable&)>> watchers;
    {
      const std::lock_guard lock(mu_);
      routing_ = table;
      for (const auto& [id, watcher] : watchers_) watchers.push_back(watcher);
    }
    for (const auto& watcher : watchers) watcher(table);
  }
  // All partitions held here, under this endpoint (empty: as reached).
  void SetAloneAt(const std::string& endpoint, int64_t epoch = 1) {
    processor::RoutingTable table;
    table.epoch = epoch;
    processor::WorkerRoute route{instance_, endpoint, {}, {}};
    for (int32_t p = 0; p < partitions_; ++p) route.active.push_back({0, base::Partition(p)});
    table.workers.push_back(std::move(route));
    SetRouting(std::move(table));
  }
  // Called by every Views call, without a lock: a test may wait in it.
  void SetViewsHook(std::function<void()> hook) {
    const std::lock_guard lock(mu_);
    views_hook_ = std::move(hook);
  }

  // --- Queryable -----------------------------------------------------------------------------------------------------
  const std::string& application_id() const override { return application_id_; }
  bool ready() const override {
    const std::lock_guard lock(mu_);
    return !restoring_;
  }
  std::string_view state_name() const override { return ready() ? "RUNNING" : "REBALANCING"; }
  std::vector<processor::StoreInfo> Stores() const override {
    processor::StoreInfo windows{application_id_.substr(0, application_id_.find('@')), state::StoreKind::kWindow, kWindowMs, 86'400'000, 0, partitions_, schema_};
    processor::StoreInfo totals{totals_, state::StoreKind::kKeyValue, 0, 0, 0, partitions_, nullptr};
    return {totals, windows};
  }
  absl::StatusOr<processor::StoreInfo> Store(std::string_view name) const override {
    for (processor::StoreInfo& store : Stores()) {
      if (store.name == name) return store;
    }
    return base::Error(base::Reaction::kFatal, absl::StatusCode::kNotFound,
                       "there is no store '" + std::string(name) + "'; the stores are: city-metrics, totals");
  }
  absl::StatusOr<std::vector<processor::StoreView>> Views(std::string_view) const override {
    std::function<void()> hook;
    {
      const std::lock_guard lock(mu_);
      hook = views_hook_;
    }
    if (hook) hook();
    const std::lock_guard lock(mu_);
    if (restoring_) {
      return base::Error(base::Reaction::kRetry, absl::StatusCode::kUnavailable, "task 0_0 is being restored");
    }
    std::vector<processor::StoreView> views;
    for (const auto& [partition, task] : tasks_) {
      if (!task.held) continue;
      views.push_back({{0, base::Partition(partition)}, task.role, task.staleness_ms,
                       std::make_shared<FakeView>(task.data)});
    }
    return views;
  }
  std::vector<processor::TaskInfo> Tasks() const override {
    const std::lock_guard lock(mu_);
    std::vector<processor::TaskInfo> tasks;
    for (const auto& [partition, task] : tasks_) {
      if (!task.held) continue;
      processor::TaskInfo info;
      info.id = {0, base::Partition(partition)};
      info.role = task.role;
      info.phase = restoring_ ? processor::TaskPhase::kRestoring : processor::TaskPhase::kRunning;
      info.stream_time_ms = task.data.stream_time_ms;
      info.inputs.push_back({{"posts", base::Partition(partition)}, base::Offset(90), base::Offset(100)});
      if (restoring_) info.restore_done = 5, info.restore_total = 10;
      tasks.push_back(std::move(info));
    }
    return tasks;
  }
  processor::RoutingTable Routing() const override {
    const std::lock_guard lock(mu_);
    return routing_;
  }
  std::unique_ptr<processor::Subscription> WatchRouting(
      std::function<void(const processor::RoutingTable&)> on_change) override {
    const std::lock_guard lock(mu_);
    const int id = next_id_++;
    watchers_[id] = std::move(on_change);
    return std::make_unique<Removal>([this, id] {
      const std::lock_guard removal(mu_);
      watchers_.erase(id);
    });
  }
  const processor::TopologyDescription& topology() const override { return topology_; }
  absl::StatusOr<std::unique_ptr<processor::Subscription>> Subscribe(std::string_view store,
                                                                     processor::UpdateSink sink) override {
    if (absl::StatusOr<processor::StoreInfo> found = Store(store); !found.ok()) return found.status();
    const std::lock_guard lock(mu_);
    const int id = next_id_++;
    sinks_[id] = std::make_shared<processor::UpdateSink>(std::move(sink));
    return std::unique_ptr<processor::Subscription>(std::make_unique<Removal>([this, id] {
      const std::lock_guard removal(mu_);
      sinks_.erase(id);
    }));
  }
  size_t subscription_count() const {
    const std::lock_guard lock(mu_);
    return sinks_.size();
  }

 private:
  struct Task {
    FakeTaskData data;
    bool held = true;
    processor::TaskRole role = processor::TaskRole::kActive;
    int64_t staleness_ms = 0;
  };
  class Removal : public processor::Subscription {
   public:
    explicit Removal(std::function<void()> remove) : remove_(std::move(remove)) {}
    ~Removal() override { remove_(); }

   private:
    std::function<void()> remove_;
  };

  const int32_t partitions_;
  const std::string instance_;
  const std::string application_id_;
  const std::string totals_;
  const std::shared_ptr<const CitySchema> schema_ = std::make_shared<CitySchema>();
  processor::TopologyDescription topology_;

  mutable std::mutex mu_;
  std::map<int32_t, Task> tasks_;
  processor::RoutingTable routing_;
  bool restoring_ = false;
  std::function<void()> views_hook_;
  int next_id_ = 1;
  std::map<int, std::function<void(const processor::RoutingTable&)>> watchers_;
  std::map<int, std::shared_ptr<processor::UpdateSink>> sinks_;  // shared with a commit under way
};

}  // namespace tailrace::testing
