#include "spec/step_order.h"

#include <algorithm>
#include <set>
#include <string>

namespace tailrace::pipeline::spec {
namespace {

// What has come so far on one way through the pipeline. A branch goes on with a copy.
class Order {
 public:
  explicit Order(Problems& problems) : problems_(problems) {}

  void Take(const Step& step) {
    if (const auto* join = std::get_if<JoinStep>(&step); join != nullptr && join_ == nullptr) {
      join_ = join;
      if (aggregate_ == nullptr) problems_.Add(join->at, "join needs an aggregate step before it");
      return;
    }
    if (aggregate_ != nullptr || join_ != nullptr) {
      if (!reported_) problems_.Add(join_ != nullptr ? join_->at : aggregate_->at, join_ != nullptr ? "join must be the last step"
                                                                                                    : "aggregate must be the last step");
      reported_ = true;
      return;
    }
    if (corrects() && !std::holds_alternative<WindowStep>(step) && !std::holds_alternative<AggregateStep>(step)) {
      if (!reported_) problems_.Add(deduplicate_->at, "only window and aggregate may follow deduplicate with max: a redelivery is no whole event");
      reported_ = true;
    }
    if (const auto* key = std::get_if<KeyStep>(&step)) {
      if (key_ != nullptr) problems_.Add(key->at, "a second key step: the first would have no effect");
      key_ = key;
    } else if (const auto* window = std::get_if<WindowStep>(&step)) {
      if (window_ != nullptr) problems_.Add(window->at, "a second window step");
      window_ = window;
    } else if (const auto* deduplicate = std::get_if<DeduplicateStep>(&step)) {
      if (deduplicate_ != nullptr) problems_.Add(deduplicate->at, "a second deduplicate step");
      deduplicate_ = deduplicate;
      after_key_ = key_ != nullptr;
      if (!after_key_ && !deduplicate->max.empty())
        problems_.Add(deduplicate->at, "deduplicate with max needs a key step before it: it corrects what was added up under that key");
    } else if (const auto* aggregate = std::get_if<AggregateStep>(&step)) {
      aggregate_ = aggregate;
      if (key_ == nullptr) problems_.Add(aggregate->at, "aggregate needs a key step before it");
      CheckCorrected(*aggregate);
      CheckHasWindows(*aggregate);
    }
  }

  // At the end of the way.
  void End(bool has_sinks, Location at) {
    if (aggregate_ != nullptr) return;
    if (window_ != nullptr) problems_.Add(window_->at, "a window step without an aggregate step has no effect");
    if (deduplicate_ != nullptr && after_key_) problems_.Add(deduplicate_->at, "deduplicate behind a key step needs an aggregate step");
    if (!has_sinks) problems_.Add(at, at.line <= 1 ? "the pipeline has no effect: add an aggregate step or a sink"
                                                   : "the branch has no effect: add an aggregate step or a sink");
  }

  const KeyStep* key() const { return key_; }
  const WindowStep* window() const { return window_; }
  const AggregateStep* aggregate() const { return aggregate_; }
  const JoinStep* join() const { return join_; }

 private:
  bool corrects() const { return deduplicate_ != nullptr && !deduplicate_->max.empty(); }

  // A sum can take the growth of a field; nothing else can.
  void CheckCorrected(const AggregateStep& aggregate) {
    if (!corrects()) return;
    for (const AggregateFieldSpec& field : aggregate.fields) {
      const bool corrected = std::any_of(deduplicate_->max.begin(), deduplicate_->max.end(),
                                         [&](const FieldName& max) { return max.name == field.field.name; });
      if (!corrected || field.kind == AggregateFieldSpec::Kind::kSum) continue;
      problems_.Add(field.at, "'" + field.name + "': of a field under deduplicate's max only a sum can be kept");
    }
  }

  // Some fields are about several windows.
  void CheckHasWindows(const AggregateStep& aggregate) {
    if (window_ != nullptr) return;
    for (const AggregateFieldSpec& field : aggregate.fields) {
      if (field.kind != AggregateFieldSpec::Kind::kWindows && field.merge == AggregateFieldSpec::Merge::kOwn) continue;
      problems_.Add(field.at, "'" + field.name + "' is about several windows, so the pipeline needs a window step");
    }
  }

  Problems& problems_;
  const KeyStep* key_ = nullptr;
  const WindowStep* window_ = nullptr;
  const DeduplicateStep* deduplicate_ = nullptr;
  const AggregateStep* aggregate_ = nullptr;
  const JoinStep* join_ = nullptr;
  bool after_key_ = false;  // deduplicate_
  bool reported_ = false;
};

class StoreNames {
 public:
  explicit StoreNames(Problems& problems) : problems_(problems) {}
  void Take(const std::vector<Step>& steps) {
    for (const Step& step : steps) {
      if (const auto* aggregate = std::get_if<AggregateStep>(&step)) Take(aggregate->store, aggregate->at);
      if (const auto* deduplicate = std::get_if<DeduplicateStep>(&step)) Take(deduplicate->store, deduplicate->at);
      if (const auto* join = std::get_if<JoinStep>(&step)) Take(join->store, join->at);
    }
  }

 private:
  void Take(const std::string& store, Location at) {
    if (!store.empty() && !names_.insert(store).second) problems_.Add(at, "a second store called '" + store + "'");
  }

  Problems& problems_;
  std::set<std::string> names_;
};

// The key of the table must be the end of the key of the rows.
void CheckJoin(const PipelineSpec& pipeline, const Order& order, Problems& problems) {
  const JoinStep& join = *order.join();
  if (order.aggregate() == nullptr || order.key() == nullptr) return;
  if (order.window() != nullptr) problems.Add(join.at, "join takes an aggregate without windows");
  const std::vector<FieldName>& key = order.key()->fields;
  const bool at_end = join.on.size() < key.size() &&
                      std::equal(join.on.begin(), join.on.end(), key.end() - static_cast<std::ptrdiff_t>(join.on.size()),
                                 [](const FieldName& a, const FieldName& b) { return a.name == b.name; });
  if (!at_end) problems.Add(join.at, "'on' must be the last fields of the key step, and not all of them");
  std::vector<std::string_view> names;
  for (const TableSpec& table : pipeline.tables) names.push_back(table.name);
  const auto found = std::find(names.begin(), names.end(), join.table);
  if (found == names.end()) {
    if (!join.table.empty()) problems.AddUnknown(join.at, "table", join.table, names);
    return;
  }
  const TableSpec& table = pipeline.tables[static_cast<size_t>(found - names.begin())];
  const PipelineSpec of_table = pipeline.TablePipeline(table);
  const auto* table_key = of_table.Find<KeyStep>();
  if (of_table.Find<WindowStep>() != nullptr || of_table.Find<JoinStep>() != nullptr || of_table.Find<AggregateStep>() == nullptr) {
    problems.Add(table.at, "a table ends in an aggregate without windows");
  } else if (table_key != nullptr && (table_key->fields.size() != join.on.size() ||
                                      (join.on.size() > 1 && table_key->separator != order.key()->separator))) {
    problems.Add(table_key->at, "the table's key must have as many fields as 'on', and the separator of the key that points to it");
  }
}

}  // namespace

void CheckOrder(const PipelineSpec& pipeline, Problems& problems) {
  Order common(problems);
  StoreNames stores(problems);
  for (const Step& step : pipeline.steps) common.Take(step);
  stores.Take(pipeline.steps);
  for (const TableSpec& table : pipeline.tables) stores.Take(table.steps);
  if (common.join() != nullptr) CheckJoin(pipeline, common, problems);
  if (common.join() == nullptr && !pipeline.tables.empty()) problems.Add(pipeline.tables[0].at, "no join step reads the table");
  if (pipeline.branches.empty()) return common.End(!pipeline.sinks.empty(), {1, 1});
  if (common.aggregate() != nullptr) problems.Add(common.aggregate()->at, "an aggregate before branches: give each branch its own");
  if (!pipeline.sinks.empty()) problems.Add(pipeline.sinks[0].at, "a pipeline with branches has its sinks in them");
  for (const BranchSpec& branch : pipeline.branches) {
    if (common.aggregate() != nullptr) break;
    Order order = common;
    for (const Step& step : branch.steps) order.Take(step);
    if (order.join() != nullptr) problems.Add(order.join()->at, "join stands in a pipeline without branches");
    order.End(!branch.sinks.empty(), branch.at);
    stores.Take(branch.steps);
  }
}

}  // namespace tailrace::pipeline::spec
