#include "compile/build_topology.h"

#include <algorithm>

#include "aggregates/aggregate_schema.h"
#include "compile/aggregate_nodes.h"
#include "compile/event_nodes.h"
#include "compile/slot_map.h"
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

// True when every source is partitioned by this key, and no set step has changed what its fields mean.
bool IsPartitionedBy(const PipelineSpec& pipeline, const KeyStep& key) {
  for (const Step& step : pipeline.steps) {
    const auto* set = std::get_if<SetStep>(&step);
    if (set == nullptr) continue;
    for (const FieldName& field : key.fields) {
      if (field.name == set->target.name) return false;
    }
  }
  return std::all_of(pipeline.sources.begin(), pipeline.sources.end(),
                     [&](const SourceSpec& source) { return source.key && SameKey(*source.key, key); });
}

class Builder {
 public:
  Builder(const PipelineSpec& pipeline, const BuildOptions& options) : pipeline_(pipeline), options_(options), slots_(pipeline) {}

  BuiltPipeline Build() {
    AddSources();
    int number = 0;
    for (const Step& step : pipeline_.steps) {
      ++number;
      std::visit([&](const auto& s) { Add(s, std::to_string(number)); }, step);
    }
    if (plan_ == nullptr && !options_.batch) AddEventSinks();
    return {.topology = std::move(topology_), .plan = plan_};
  }

 private:
  void AddSources() {
    std::vector<std::string> names;
    for (const SourceSpec& source : pipeline_.sources) {
      const Format* format = FindFormat(source.format);
      TAILRACE_CHECK(format != nullptr, "the pipeline was checked");
      const std::string name = "source-" + source.topic;
      const std::vector<std::string> fields = slots_.FieldsOf(source);
      const ReaderOptions reader_options{.required = {source.timestamp.name}, .timestamp_max_ms = options_.timestamp_max_ms};
      topology_.AddNode({.type = TopologyNode::Type::kSource,
                         .name = name,
                         .topics = {source.topic},
                         .factory = [format, fields, reader_options, on_skip = options_.public_options.on_skip] {
                           return std::make_unique<EventSource>(format->NewReader(fields, reader_options), 0, on_skip);
                         }});
      names.push_back(name);
    }
    last_ = names;
  }

  void AddOperator(const std::string& name, std::function<std::unique_ptr<processor::detail::Node>()> factory) {
    topology_.AddNode({.name = name, .predecessors = last_, .factory = std::move(factory)});
    last_ = {name};
  }

  void Add(const FilterStep& step, const std::string& number) {
    AddOperator("filter-" + number, [predicate = slots_.Compile(step.condition)] { return std::make_unique<FilterNode>(predicate); });
  }

  void Add(const SetStep& step, const std::string& number) {
    SetNode::Fallback fallback;
    if (step.fallback) {
      const spec::ScopedField& type = slots_.TypeOf(step.from.name);
      const auto value = spec::ReadLiteral(*step.fallback, type);
      TAILRACE_CHECK(value.has_value(), "the pipeline was checked");
      fallback = {.type = type.type, .text = value->text, .integer = value->integer, .number = value->number};
    }
    const size_t from = slots_.SlotOf(step.from.name);
    slots_.Apply(step);
    AddOperator("set-" + number, [from, fallback] { return std::make_unique<SetNode>(from, fallback); });
  }

  void Add(const KeyStep& step, const std::string& number) {
    std::vector<size_t> slots;
    for (const FieldName& field : step.fields) slots.push_back(slots_.SlotOf(field.name));
    const bool partitioned = IsPartitionedBy(pipeline_, step);
    const std::string topic = partitioned && !options_.batch ? pipeline_.sources[0].topic : "";
    if (partitioned && pipeline_.sources.size() > 1) topology_.AddCopartition(last_sources());
    AddOperator("key-" + number, [slots, separator = step.separator, topic] {
      return std::make_unique<KeyNode>(slots, separator, topic);
    });
    needs_repartition_ = !partitioned && !options_.batch;
  }

  void Add(const WindowStep&, const std::string&) {}  // Part of the aggregate.

  void Add(const AggregateStep& step, const std::string&) {
    plan_ = std::make_shared<aggregates::AggregatePlan>(PlannedFields(step));
    if (needs_repartition_) AddRepartition(step.store);
    const WindowStep* window = pipeline_.Find<WindowStep>();
    state::StoreSpec store{.name = step.store, .kind = window ? state::StoreKind::kWindow : state::StoreKind::kKeyValue};
    store.schema = std::make_shared<aggregates::AggregateSchema>(plan_);
    store.logging = !options_.batch;
    if (window) {
      store.window_size_ms = window->size_ms;
      store.retention_ms = options_.batch ? kForeverMs : window->retention_ms;
    }
    const std::string name = "aggregate-" + step.store;
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

  void AddRepartition(const std::string& store) {
    const std::string topic = store + "-repartition";
    topology_.AddRepartitionTopic({.name = topic, .partition_count = std::nullopt});
    topology_.AddNode({.type = TopologyNode::Type::kSink, .name = "repartition-sink-" + store, .predecessors = last_, .topics = {topic},
                       .factory = [topic] { return std::make_unique<RepartitionSink>(topic); }});
    const std::string source = "repartition-source-" + store;
    topology_.AddNode({.type = TopologyNode::Type::kSource, .name = source, .topics = {topic},
                       .factory = [slots = slots_.slot_count()] { return std::make_unique<RepartitionSource>(slots); }});
    last_ = {source};
  }

  std::vector<aggregates::PlannedField> PlannedFields(const AggregateStep& step) const {
    using Kind = aggregates::AggregateKind;
    // The two enumerations name the same kinds in the same order.
    static_assert(static_cast<int>(AggregateFieldSpec::Kind::kDistinct) == static_cast<int>(Kind::kDistinct));
    std::vector<aggregates::PlannedField> fields;
    for (const AggregateFieldSpec& spec : step.fields) {
      aggregates::PlannedField field{.name = spec.name, .kind = static_cast<Kind>(spec.kind), .exact_max = spec.exact_max};
      if (!spec.field.name.empty()) {
        field.slot = slots_.SlotOf(spec.field.name);
        field.type = slots_.TypeOf(spec.field.name).type;
      }
      if (field.kind == Kind::kCountIf) field.condition = slots_.Compile(spec.condition);
      fields.push_back(std::move(field));
    }
    return fields;
  }

  void AddAggregateSinks(const WindowStep* window) {
    for (const SinkSpec& sink : pipeline_.sinks) {
      NodeSpec node{.type = TopologyNode::Type::kSink, .name = "sink-" + sink.topic, .predecessors = last_, .topics = {sink.topic}};
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

  void AddEventSinks() {
    for (const SinkSpec& sink : pipeline_.sinks) {
      topology_.AddNode({.type = TopologyNode::Type::kSink, .name = "sink-" + sink.topic, .predecessors = last_, .topics = {sink.topic},
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

  std::vector<std::string> last_sources() const {
    std::vector<std::string> names;
    for (const SourceSpec& source : pipeline_.sources) names.push_back("source-" + source.topic);
    return names;
  }

  const PipelineSpec& pipeline_;
  const BuildOptions& options_;
  SlotMap slots_;
  Topology topology_;
  std::vector<std::string> last_;  // the operators that the next one follows
  bool needs_repartition_ = false;
  std::shared_ptr<const aggregates::AggregatePlan> plan_;  // shared by nodes, serdes and schema
};

}  // namespace

absl::StatusOr<BuiltPipeline> BuildTopology(const PipelineSpec& pipeline, const BuildOptions& options) {
  BuiltPipeline built = Builder(pipeline, options).Build();
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
