#include "compile/table_join.h"

#include "aggregates/joined_schema.h"
#include "compile/aggregate_nodes.h"
#include "tailrace/processor/foreign_key_join.h"
#include "tailrace/processor/kstream.h"

namespace tailrace::pipeline::compile {
namespace {

using processor::Change;
using processor::KTable;
using processor::Topology;
using processor::TopologyNode;
using processor::detail::DropReason;
using processor::detail::TableOrigin;

using LeftTable = KTable<Key, StateBytes>;
using JoinedValue = std::string;

// KeyAggregateNode, but what it forwards are changes of a table. The key that the join follows is in the row's key and so never
// changes, which is why nobody needs old values, and states may be updated where they lie.
class TableAggregateNode final : public processor::detail::Operator<Key, EventRow, Key, Change<StateBytes>>, private state::ChangeListener {
 public:
  TableAggregateNode(std::shared_ptr<const aggregates::AggregatePlan> plan, std::string store)
      : updater_(std::move(plan), store), store_name_(std::move(store)) {}

  absl::Status Init(processor::detail::TaskContext& context) override {
    TAILRACE_RETURN_IF_ERROR((Operator<Key, EventRow, Key, Change<StateBytes>>::Init(context)));
    store_ = &context.key_value_store(store_name_);
    if (store_->spec().caching) store_->SetChangeListener(this);
    forwards_now_ = !store_->spec().caching;
    return absl::OkStatus();
  }
  void Close() override {
    if (store_ != nullptr) store_->SetChangeListener(nullptr);
  }

  void Process(const EventRecord& record) override {
    if (record.key == nullptr) return context().Drop(DropReason::kNullKey);
    const aggregates::AggregateInput input{.event = record.value->event, .timestamp_ms = record.timestamp_ms,
                                           .offset = context().record().offset.value(), .correction = record.value->correction};
    const auto entry = store_->Upsert(*record.key);
    if (!entry.ok()) return context().Fail(entry.status());
    const absl::StatusOr<int64_t> timestamp_ms = updater_.Update(*store_, **entry, input);
    if (!timestamp_ms.ok()) return context().Fail(timestamp_ms.status());
    if (forwards_now_) Emit(*record.key, (*entry)->value(), *timestamp_ms);
  }

 private:
  void OnChange(const state::StoreChange& change) override { Emit(change.key, change.new_value, change.timestamp_ms); }
  void Emit(Key key, kafka::NullableBytes value, int64_t timestamp_ms) {
    if (value.is_null()) return;
    const StateBytes bytes = value.view();
    const Change<StateBytes> change{&bytes, nullptr};
    Forward({&key, &change, timestamp_ms, nullptr});
  }

  StateUpdater updater_;
  const std::string store_name_;
  state::KeyValueStore* store_ = nullptr;
  bool forwards_now_ = false;
};

// What stands behind the result.
class JoinReceiver : public processor::detail::Receiver<Key, Change<JoinedValue>> {
 public:
  void AddChild(processor::detail::Node*) final { TAILRACE_CHECK(false, "a sink has no children"); }
};

class JoinSink final : public JoinReceiver {
 public:
  JoinSink(std::string topic, std::shared_ptr<const state::ValueSchema> schema) : topic_(std::move(topic)), schema_(std::move(schema)) {}
  absl::Status Init(processor::detail::TaskContext& context) override { return sender_.Init(context, topic_); }
  void Process(const processor::Record<Key, Change<JoinedValue>>& record) override {
    if (record.value->new_value == nullptr) return;
    const std::optional<std::string> json = schema_->ValueToJson(*record.value->new_value);
    TAILRACE_CHECK(json.has_value(), "the schema reads what the join wrote");
    sender_.Send(*record.key, std::string_view(*json), record.key->size(), record.timestamp_ms, record.headers);
  }

 private:
  const std::string topic_;
  const std::shared_ptr<const state::ValueSchema> schema_;  // shared by all tasks and queries
  processor::detail::RecordSender sender_;
};

class JoinTap final : public JoinReceiver {
 public:
  explicit JoinTap(std::function<void(std::string_view, std::string_view)> tap) : tap_(std::move(tap)) {}
  absl::Status Init(processor::detail::TaskContext&) override { return absl::OkStatus(); }
  void Process(const processor::Record<Key, Change<JoinedValue>>& record) override {
    if (record.value->new_value != nullptr) tap_(*record.key, *record.value->new_value);
  }

 private:
  const std::function<void(std::string_view, std::string_view)> tap_;
};

std::string JoinName(const TableJoinSpec& join) { return "join-" + join.store; }
std::string ResultNode(const TableJoinSpec& join) { return JoinName(join) + "-result"; }

using Graph = std::shared_ptr<processor::detail::StreamGraph>;  // shared by the handles of all tables

LeftTable TableOf(const Graph& graph, processor::detail::StreamGraph::NodeId id, const JoinSide& side) {
  const auto keys = processor::detail::AnySerde<Key>::Of(processor::BytesViewSerde{});
  return LeftTable(
      {graph, id, side.node, side.sources, TableOrigin::Aggregate(side.store, true)},
      [store = side.store, keys] { return std::make_unique<processor::detail::StoreGetter<Key, StateBytes>>(store, keys, keys); }, keys, keys);
}

}  // namespace

std::unique_ptr<processor::detail::Node> NewTableAggregate(std::shared_ptr<const aggregates::AggregatePlan> plan, std::string store) {
  return std::make_unique<TableAggregateNode>(std::move(plan), std::move(store));
}

std::string_view KeyEnd(std::string_view key, std::string_view separator, size_t parts) {
  size_t from = key.size();
  for (; parts > 0; --parts) {
    const size_t at = from == 0 ? std::string_view::npos : key.substr(0, from).rfind(separator);
    if (at == std::string_view::npos) return key;
    if (parts == 1) return key.substr(at + separator.size());
    from = at;
  }
  return {};
}

absl::StatusOr<std::shared_ptr<const state::ValueSchema>> AddTableJoin(Topology& topology, const TableJoinSpec& join) {
  const Graph graph = std::make_shared<processor::detail::StreamGraph>();
  // The graph of the DSL begins with what the pipeline has written already.
  const auto written = graph->Add({processor::detail::StreamGraph::kRoot}, [&topology](Topology& into) { into = std::move(topology); });
  auto schema = std::make_shared<const aggregates::JoinedSchema>(join.left.plan, join.right.plan);
  processor::Materialized<> result(join.store);
  result.WithSchema(schema);
  if (!join.logging) result.WithLoggingDisabled();
  const LeftTable left = TableOf(graph, written, join.left);
  const LeftTable right = TableOf(graph, written, join.right);
  left.LeftJoin(
      right, [separator = join.separator, on = join.on](const Key& key, const StateBytes&) { return KeyEnd(key, separator, on); },
      [](const StateBytes& row, const StateBytes* other) {
        JoinedValue value;
        aggregates::EncodeJoined(row, other == nullptr ? std::nullopt : std::optional(*other), value);
        return value;
      },
      JoinName(join), result);
  TAILRACE_ASSIGN_OR_RETURN(topology, graph->Build({}));
  return schema;
}

void AddJoinSink(Topology& topology, const TableJoinSpec& join, const std::string& topic, std::shared_ptr<const state::ValueSchema> schema) {
  topology.AddNode({.type = TopologyNode::Type::kSink, .name = "sink-" + topic, .predecessors = {ResultNode(join)}, .topics = {topic},
                    .factory = [topic, schema = std::move(schema)] { return std::make_unique<JoinSink>(topic, schema); }});
}

void AddJoinTap(Topology& topology, const TableJoinSpec& join, std::function<void(std::string_view key, std::string_view value)> tap) {
  topology.AddNode({.name = "output", .predecessors = {ResultNode(join)},
                    .factory = [tap = std::move(tap)] { return std::make_unique<JoinTap>(tap); }});
}

}  // namespace tailrace::pipeline::compile
