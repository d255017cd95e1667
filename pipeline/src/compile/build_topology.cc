#include "compile/build_topology.h"

#include <algorithm>
#include <functional>
#include <set>
#include <span>

#include "aggregates/aggregate_schema.h"
#include "compile/aggregate_nodes.h"
#include "compile/deduplicate_node.h"
#include "compile/derived_nodes.h"
#include "compile/event_nodes.h"
#include "compile/slot_map.h"
#include "compile/table_join.h"
#include "spec/step_fields.h"
#include "tailrace/base/check.h"

namespace tailrace::pipeline::compile {
namespace {

using processor::Topology;
using processor::TopologyNode;
using processor::detail::NodeSpec;
using processor::detail::SinkNode;

// Windows of a batch run never expire. Half the range leaves room for arithmetic.
constexpr int64_t kForeverMs = INT64_MAX / 2;

bool SameKey(const KeyStep& a, const KeyStep& b) {
  return a.separator == b.separator && std::equal(a.fields.begin(), a.fields.end(), b.fields.begin(), b.fields.end(),
                                                  [](const FieldName& x, const FieldName& y) { return x.name == y.name; });
}

// True when every source is partitioned by this key.
bool IsPartitionedBy(const PipelineSpec& pipeline, const KeyStep& key) {
  return std::all_of(pipeline.sources.begin(), pipeline.sources.end(),
                     [&](const SourceSpec& source) { return source.key && SameKey(*source.key, key); });
}

class Builder {
 public:
  // Adds to `topology`. The operators of a table have `prefix` before their names.
  Builder(const PipelineSpec& pipeline, const BuildOptions& options, Topology& topology, std::string prefix = {})
      : pipeline_(pipeline), options_(options), topology_(topology), prefix_(std::move(prefix)), way_{.slots = SlotMap(pipeline)} {}

  // Returns the schema of the result; null without an aggregate, and with branches that of the last one.
  absl::StatusOr<std::shared_ptr<const state::ValueSchema>> Build() {
    AddSources();
    join_ = pipeline_.Find<JoinStep>();
    AddSteps(pipeline_.steps);
    if (join_ != nullptr) TAILRACE_RETURN_IF_ERROR(AddJoin());
    if (pipeline_.branches.empty()) AddEventSinks(pipeline_.sinks);
    for (const BranchSpec& branch : pipeline_.branches) {
      const Way common = way_;
      branch_ = &branch;
      AddSteps(branch.steps);
      AddEventSinks(branch.sinks);
      way_ = common;
    }
    return schema_;
  }

  // All of a table, whose changes a join follows.
  JoinSide BuildTable() {
    AddSources();
    is_table_ = true;
    AddSteps(pipeline_.steps);
    return side_;
  }

 private:
  void AddSources() {
    std::vector<std::string> names;
    for (const SourceSpec& source : pipeline_.sources) {
      const Format* format = FindFormat(source.format);
      TAILRACE_CHECK(format != nullptr, "the pipeline was checked");
      const std::string name = prefix_ + "source-" + source.topic;
      const std::vector<std::string> fields = way_.slots.FieldsOf(source);
      ReaderOptions reader_options{.timestamp_max_ms = options_.timestamp_max_ms};
      if (!source.processing_time) reader_options.required.push_back(source.timestamp.name);
      topology_.AddNode({.type = TopologyNode::Type::kSource,
                         .name = name,
                         .topics = {source.topic},
                         .factory = [format, fields, reader_options, processing_time = source.processing_time,
                                     on_skip = options_.public_options.on_skip,
                                     event_count = options_.event_count] {
                           const std::optional<size_t> timestamp_slot = processing_time ? std::nullopt : std::optional<size_t>(0);
                           return std::make_unique<EventSource>(format->NewReader(fields, reader_options), timestamp_slot, on_skip, event_count);
                         }});
      names.push_back(name);
    }
    way_.last = names;
    way_.sources = names;
  }

  void AddSteps(std::span<const Step> steps) {
    for (; !steps.empty(); steps = steps.subspan(1)) {
      rest_ = steps;
      const std::string number = std::to_string(++number_);
      std::visit([&](const auto& s) { Add(s, number); }, steps.front());
      if (const FieldName* target = spec::GivenField(steps.front())) {
        way_.given.insert(target->name);
        way_.slots.Give(*target, spec::TypeOfGiven(steps.front(), way_.slots.scope()));
      }
    }
  }

  // The slots that the step at hand and all that come after it read.
  std::vector<bool> SlotsOfRest() const {
    std::vector<bool> used = way_.slots.SlotsOf(rest_);
    if (branch_ != nullptr) return used;
    for (const BranchSpec& branch : pipeline_.branches) {
      const std::vector<bool> more = way_.slots.SlotsOf(branch.steps);
      std::transform(used.begin(), used.end(), more.begin(), used.begin(), std::logical_or<>());
    }
    return used;
  }

  void AddOperator(const std::string& name, std::function<std::unique_ptr<processor::detail::Node>()> factory) {
    topology_.AddNode({.name = prefix_ + name, .predecessors = way_.last, .factory = std::move(factory)});
    way_.last = {prefix_ + name};
  }

  void Add(const FilterStep& step, const std::string& number) {
    AddOperator("filter-" + number, [predicate = way_.slots.Compile(step.condition)] { return std::make_unique<FilterNode>(predicate); });
  }

  void Add(const SetStep& step, const std::string& number) {
    SetNode::Options options{.from = way_.slots.SlotOf(step.from.name), .convert = step.convert};
    options.otherwise = step.otherwise ? way_.slots.SlotOf(step.otherwise->name) : options.from;
    if (step.fallback) {
      options.type = way_.slots.TypeOf(step.from.name).type;
      const auto value = spec::ReadLiteral(*step.fallback, way_.slots.TypeOf(step.from.name));
      TAILRACE_CHECK(value.has_value(), "the pipeline was checked");
      options.text = value->text;
      options.integer = value->integer;
      options.number = value->number;
    }
    AddOperator("set-" + number, [options] { return std::make_unique<SetNode>(options); });
  }

  void Add(const ChangeStep& step, const std::string& number) {
    AddOperator("set-" + number, [from = SlotsOf(step.from)] { return std::make_unique<ChangeNode>(from[0], from[1]); });
  }

  void Add(const WordsStep& step, const std::string& number) {
    // One table of stop-words for all tasks.
    auto stop_words = std::make_shared<const text::StopWords>(step.languages, step.stop_words);
    AddOperator("words-" + number, [from = SlotsOf(step.from)[0], longer_than = step.longer_than, stop_words = std::move(stop_words)] {
      return std::make_unique<WordsNode>(from, longer_than, stop_words);
    });
  }

  void Add(const TickersStep& step, const std::string& number) {
    AddOperator("tickers-" + number, [from = SlotsOf(step.from)[0]] { return std::make_unique<TickersNode>(from); });
  }

  void Add(const GroupStep& step, const std::string& number) {
    AddOperator("group-" + number, [from = SlotsOf(step.from), members = step.members] { return std::make_unique<GroupNode>(from, members); });
  }

  void Add(const SentimentStep& step, const std::string& number) {
    AddOperator("sentiment-" + number, [from = SlotsOf(step.from)[0]] { return std::make_unique<SentimentNode>(from); });
  }

  void Add(const DeduplicateStep& step, const std::string&) {
    if (way_.needs_repartition) AddRepartition(step.store, SlotsOfRest());
    const int64_t retention_ms = options_.batch ? kForeverMs : step.retention_ms;
    DeduplicateNode::Options options{.store = step.store,
                                     .id = way_.slots.SlotOf(step.id.name),
                                     .max = SlotsOf(step.max),
                                     .per_key = way_.has_key,
                                     .window_ms = DeduplicateNode::WindowMs(retention_ms),
                                     .retention_ms = retention_ms};
    const std::string name = "deduplicate-" + step.store;
    state::StoreSpec store{.name = step.store,
                           .kind = state::StoreKind::kWindow,
                           .window_size_ms = options.window_ms,
                           .retention_ms = retention_ms,
                           .logging = !options_.batch};
    AddOperator(name, [options = std::move(options)] { return std::make_unique<DeduplicateNode>(options); });
    topology_.AddStateStore(std::move(store), {name});
  }

  void Add(const KeyStep& step, const std::string& number) {
    const std::vector<size_t> slots = SlotsOf(step.fields);
    // A field that a step has given is not what the source is partitioned by, whatever its name.
    const bool partitioned = IsPartitionedBy(pipeline_, step) &&
                             std::none_of(step.fields.begin(), step.fields.end(),
                                          [this](const FieldName& field) { return way_.given.contains(field.name); });
    const std::string topic = partitioned && !options_.batch ? pipeline_.sources[0].topic : "";
    if (partitioned && pipeline_.sources.size() > 1) topology_.AddCopartition(way_.sources);
    AddOperator("key-" + number, [slots, separator = step.separator, topic] {
      return std::make_unique<KeyNode>(slots, separator, topic);
    });
    way_.needs_repartition = !partitioned && !options_.batch;
    way_.has_key = true;
  }

  void Add(const WindowStep& step, const std::string&) { way_.window = &step; }  // Part of the aggregate.

  void Add(const AggregateStep& step, const std::string&) {
    way_.has_aggregate = true;
    plan_ = std::make_shared<aggregates::AggregatePlan>(PlannedFields(step));
    if (way_.needs_repartition) AddRepartition(step.store, SlotsOfRest());
    const WindowStep* window = way_.window;
    state::StoreSpec store{.name = step.store, .kind = window ? state::StoreKind::kWindow : state::StoreKind::kKeyValue};
    schema_ = std::make_shared<const aggregates::AggregateSchema>(plan_);
    store.schema = schema_;
    store.logging = !options_.batch;
    if (window) {
      store.window_size_ms = window->size_ms;
      store.retention_ms = options_.batch ? kForeverMs : window->retention_ms;
    }
    const std::string name = "aggregate-" + step.store;
    if (is_table_ || join_ != nullptr) {
      side_ = {.node = prefix_ + name, .store = step.store, .sources = {way_.sources.begin(), way_.sources.end()}, .plan = plan_};
      AddOperator(name, [plan = plan_, store_name = step.store] { return NewTableAggregate(plan, store_name); });
      topology_.AddStateStore(std::move(store), {side_.node});
      return;
    }
    if (window) {
      AddOperator(name, [plan = plan_, w = *window, store_name = step.store] {
        return std::make_unique<WindowedAggregateNode>(plan, w, store_name);
      });
    } else {
      AddOperator(name, [plan = plan_, store_name = step.store] { return std::make_unique<KeyAggregateNode>(plan, store_name); });
    }
    topology_.AddStateStore(std::move(store), {name});
    if (options_.batch) {
      AddTap(window != nullptr);
    } else {
      AddAggregateSinks(window);
    }
  }

  void Add(const JoinStep&, const std::string&) {}  // When its tables are there, too.

  absl::Status AddJoin() {
    const auto table = std::find_if(pipeline_.tables.begin(), pipeline_.tables.end(), [this](const TableSpec& t) { return t.name == join_->table; });
    TAILRACE_CHECK(table != pipeline_.tables.end(), "the pipeline was checked");
    const PipelineSpec table_pipeline = pipeline_.TablePipeline(*table);
    const TableJoinSpec join{.left = side_,
                             .right = Builder(table_pipeline, options_, topology_, table->name + "-").BuildTable(),
                             .on = join_->on.size(),
                             .separator = pipeline_.Find<KeyStep>()->separator,
                             .store = join_->store,
                             .logging = !options_.batch};
    TAILRACE_ASSIGN_OR_RETURN(schema_, AddTableJoin(topology_, join));
    if (!options_.batch) {
      for (const SinkSpec& sink : pipeline_.sinks) AddJoinSink(topology_, join, sink.topic, schema_);
    } else if (options_.on_update) {
      AddJoinTap(topology_, join, [on_update = options_.on_update](std::string_view key, std::string_view value) {
        on_update(key, state::kNoWindow, value);
      });
    }
    return absl::OkStatus();
  }

  // Through the topic that is named after the store behind it; slots that nothing reads there travel as nulls.
  void AddRepartition(const std::string& store, std::vector<bool> used) {
    way_.needs_repartition = false;
    const std::string topic = store + "-repartition";
    topology_.AddRepartitionTopic({.name = topic, .partition_count = std::nullopt});
    topology_.AddNode({.type = TopologyNode::Type::kSink, .name = "repartition-sink-" + store, .predecessors = way_.last,
                       .topics = {topic},
                       .factory = [topic, used = std::move(used)] { return std::make_unique<RepartitionSink>(topic, used); }});
    const std::string source = "repartition-source-" + store;
    topology_.AddNode({.type = TopologyNode::Type::kSource, .name = source, .topics = {topic},
                       .factory = [slots = way_.slots.slot_count()] { return std::make_unique<RepartitionSource>(slots); }});
    way_.last = {source};
    way_.sources = {source};
  }

  std::vector<aggregates::PlannedField> PlannedFields(const AggregateStep& step) const {
    using Kind = aggregates::AggregateKind;
    // The two enumerations name the same kinds in the same order.
    static_assert(static_cast<int>(AggregateFieldSpec::Kind::kDistinct) == static_cast<int>(Kind::kDistinct));
    static_assert(static_cast<int>(AggregateFieldSpec::Kind::kWindows) == static_cast<int>(Kind::kWindows));
    static_assert(static_cast<int>(AggregateFieldSpec::Merge::kMax) == static_cast<int>(aggregates::MergeRule::kMax));
    std::vector<aggregates::PlannedField> fields;
    for (const AggregateFieldSpec& spec : step.fields) {
      aggregates::PlannedField field{.name = spec.name, .kind = static_cast<Kind>(spec.kind), .exact_max = spec.exact_max};
      if (!spec.field.name.empty()) {
        field.slot = way_.slots.SlotOf(spec.field.name);
        field.type = way_.slots.TypeOf(spec.field.name).type;
      }
      if (!spec.by.name.empty()) field.by_slot = way_.slots.SlotOf(spec.by.name);
      field.merge = static_cast<aggregates::MergeRule>(spec.merge);
      if (field.kind == Kind::kCountIf) field.condition = way_.slots.Compile(spec.condition);
      fields.push_back(std::move(field));
    }
    return fields;
  }

  void AddAggregateSinks(const WindowStep* window) {
    for (const SinkSpec& sink : branch_ != nullptr ? branch_->sinks : pipeline_.sinks) {
      NodeSpec node{.type = TopologyNode::Type::kSink, .name = "sink-" + sink.topic, .predecessors = way_.last, .topics = {sink.topic}};
      const StateJsonSerde values{plan_};
      if (window) {
        using Keys = processor::TimeWindowedSerde<processor::BytesViewSerde>;
        const Keys keys{.key_serde = {}, .window_size_ms = window->size_ms};
        node.factory = [topic = sink.topic, keys, values] {
          return std::make_unique<SinkNode<WindowedKey, StateBytes, Keys, StateJsonSerde>>(topic, keys, values);
        };
      } else {
        node.factory = [topic = sink.topic, values] {
          return std::make_unique<SinkNode<Key, StateBytes, processor::BytesViewSerde, StateJsonSerde>>(topic, processor::BytesViewSerde{},
                                                                                                       values);
        };
      }
      topology_.AddNode(std::move(node));
    }
  }

  // The sinks of a way without an aggregate.
  void AddEventSinks(const std::vector<SinkSpec>& sinks) {
    if (way_.has_aggregate || options_.batch) return;
    for (const SinkSpec& sink : sinks) {
      topology_.AddNode({.type = TopologyNode::Type::kSink, .name = "sink-" + sink.topic, .predecessors = way_.last, .topics = {sink.topic},
                         .factory = [topic = sink.topic] { return std::make_unique<EventSink>(topic); }});
    }
  }

  void AddTap(bool windowed) {
    if (!options_.on_update) return;
    AddOperator("output", [windowed, on_update = options_.on_update]() -> std::unique_ptr<processor::detail::Node> {
      if (windowed) {
        return std::make_unique<UpdateTap<WindowedKey>>(
            [on_update](const WindowedKey& key, StateBytes state, int64_t) { on_update(key.key, key.start_ms, state); });
      }
      return std::make_unique<UpdateTap<Key>>([on_update](const Key& key, StateBytes state, int64_t) { on_update(key, state::kNoWindow, state); });
    });
  }

  std::vector<size_t> SlotsOf(const std::vector<FieldName>& fields) const {
    std::vector<size_t> slots;
    for (const FieldName& field : fields) slots.push_back(way_.slots.SlotOf(field.name));
    return slots;
  }

  // How far one way through the pipeline has come. A branch goes on with a copy.
  struct Way {
    SlotMap slots;
    std::vector<std::string> last = {};  // the operators that the next one follows
    std::vector<std::string> sources = {};  // what feeds them, from the last topic on
    std::set<std::string, std::less<>> given = {};  // fields that steps have given
    const WindowStep* window = nullptr;
    bool has_key = false;
    bool has_aggregate = false;
    bool needs_repartition = false;
  };

  const PipelineSpec& pipeline_;
  const BuildOptions& options_;
  Topology& topology_;
  const std::string prefix_;
  Way way_;
  const BranchSpec* branch_ = nullptr;  // null in the common steps
  std::span<const Step> rest_;  // the step at hand and those after it, up to the end of the common steps or of the branch
  int number_ = 0;              // of steps, for their names
  const JoinStep* join_ = nullptr;
  bool is_table_ = false;
  JoinSide side_;  // of the aggregate, when a join follows it
  std::shared_ptr<const aggregates::AggregatePlan> plan_;  // shared by nodes, serdes and schema
  std::shared_ptr<const state::ValueSchema> schema_;       // shared by the stores of all tasks
};

}  // namespace

absl::StatusOr<BuiltPipeline> BuildTopology(const PipelineSpec& pipeline, const BuildOptions& options) {
  BuiltPipeline built;
  TAILRACE_ASSIGN_OR_RETURN(built.schema, Builder(pipeline, options, built.topology).Build());
  // Compile also checks names and links; the caller's copy is compiled again by whoever runs it.
  TAILRACE_RETURN_IF_ERROR(built.topology.Compile(pipeline.application_id));
  return built;
}

}  // namespace tailrace::pipeline::compile

namespace tailrace::pipeline {

absl::StatusOr<processor::Topology> CompilePipeline(const PipelineSpec& pipeline, const CompileOptions& options) {
  TAILRACE_ASSIGN_OR_RETURN(compile::BuiltPipeline built, compile::BuildTopology(pipeline, {.public_options = options}));
  return std::move(built.topology);
}

}  // namespace tailrace::pipeline
