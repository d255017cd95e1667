#include "generator.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <optional>
#include <set>

#include "edges.h"
#include "events.h"
#include "tailrace/base/check.h"

namespace tailrace::differential {
namespace {

constexpr int kDepthMax = 6;
constexpr int kFar = 1000;

// Builds the operators of a case: asks for a handle of some type, and makes what that needs.
class TopologyMaker {
 public:
  TopologyMaker(const Grammar& grammar, Draw& draw, Case& c)
      : grammar_(grammar), draw_(draw), case_(c), cached_percent_(draw.Of(std::vector<int>{0, 50, 100})) {
    for (const Kind& kind : grammar.kinds()) {
      cost_.try_emplace(kind.output, kFar);
      for (const Type input : kind.inputs) distance_.try_emplace(input, kFar);
    }
    FindDistances();
  }

  void Make(const Kind& about, int more) {
    for (int i = 0; i < 4; ++i) preferred_.push_back(&draw_.Of(grammar_.kinds()));
    Append(about, 0);
    for (int i = 0; i < more; ++i) Append(draw_.Percent(60) ? *draw_.Of(preferred_) : draw_.Of(grammar_.kinds()), 0);
    for (size_t i = 0; i < handles_.size(); ++i)
      if (!handles_[i].used) Finish(i);
  }

  const std::vector<std::string>& input_topics() const { return topics_.inputs; }

 private:
  struct Handle {
    int op;
    Type type;
    bool used = false;
  };

  // How many operators it takes to make a handle of a type from nothing, and to get from a type to a sink.
  void FindDistances() {
    for (bool changed = true; changed;) {
      changed = false;
      for (const Kind& kind : grammar_.kinds()) {
        int needs = 1;
        for (const Type input : kind.inputs) needs += CostOf(input);
        changed |= Lower(cost_, kind.output, needs);
        if (kind.inputs.size() != 1) continue;
        changed |= Lower(distance_, kind.inputs[0], 1 + (kind.output == Type::kNone ? 0 : DistanceOf(kind.output)));
      }
    }
  }
  static bool Lower(std::map<Type, int>& values, Type type, int value) {
    int& present = values.try_emplace(type, kFar).first->second;
    if (value >= present) return false;
    present = value;
    return true;
  }
  int CostOf(Type type) const { return cost_.contains(type) ? cost_.at(type) : kFar; }
  int DistanceOf(Type type) const { return distance_.contains(type) ? distance_.at(type) : kFar; }
  int CostOf(const Kind& kind) const {
    int cost = 1;
    for (const Type input : kind.inputs) cost += CostOf(input);
    return cost;
  }

  size_t Need(Type type, int depth) {
    std::vector<size_t> present;
    for (size_t i = 0; i < handles_.size(); ++i)
      if (handles_[i].type == type) present.push_back(i);
    if (!present.empty() && draw_.Percent(depth == 0 ? 70 : 55)) {
      // The newest one makes deep cases.
      return draw_.Percent(50) ? present.back() : draw_.Of(present);
    }
    std::vector<const Kind*> makers;
    for (const Kind& kind : grammar_.kinds())
      if (kind.output == type && (depth < kDepthMax || CostOf(kind) == CostOf(type))) makers.push_back(&kind);
    TAILRACE_CHECK(!makers.empty(), "no operator makes what another one takes");
    std::vector<const Kind*> cheap = makers;
    std::erase_if(cheap, [&](const Kind* kind) { return CostOf(*kind) > CostOf(type); });
    return *Append(draw_.Percent(50) ? *draw_.Of(cheap) : *draw_.Of(makers), depth + 1);
  }

  // The handle that the new operator made, if it makes one.
  std::optional<size_t> Append(const Kind& kind, int depth) {
    std::vector<size_t> inputs;
    for (const Type input : kind.inputs) inputs.push_back(Need(input, depth));
    return AppendTo(kind, inputs);
  }

  std::optional<size_t> AppendTo(const Kind& kind, const std::vector<size_t>& inputs) {
    Op op{.id = static_cast<int>(case_.ops.size()), .kind = kind.name, .inputs = {}, .arguments = {}};
    for (const size_t input : inputs) {
      handles_[input].used = true;
      op.inputs.push_back(handles_[input].op);
    }
    Plan plan(draw_, op.id, cached_percent_, topics_);
    if (kind.draw) kind.draw(plan, op);
    if (kind.adjust) kind.adjust(case_.ops, op);
    case_.ops.push_back(op);
    if (kind.output == Type::kNone) return std::nullopt;
    handles_.push_back({op.id, kind.output});
    return handles_.size() - 1;
  }

  // What comes out of a handle that nobody uses must be seen: the shortest way to a sink. Some tables stay without.
  void Finish(size_t handle) {
    const Type type = handles_[handle].type;
    if (type == Type::kTable && draw_.Percent(15)) return;
    std::vector<const Kind*> ways;
    for (const Kind& kind : grammar_.kinds())
      if (kind.inputs == std::vector{type} &&
          1 + (kind.output == Type::kNone ? 0 : DistanceOf(kind.output)) == DistanceOf(type))
        ways.push_back(&kind);
    if (ways.empty()) return;
    AppendTo(*draw_.Of(ways), {handle});
  }

  const Grammar& grammar_;
  Draw& draw_;
  Case& case_;
  const int cached_percent_;
  std::map<Type, int> cost_;
  std::map<Type, int> distance_;
  std::vector<Handle> handles_;
  std::vector<const Kind*> preferred_;
  Plan::Topics topics_;
};

// Joins of streams multiply records: as many go in as make some ten thousand at the end.
int64_t EventsMax(const Case& c) {
  constexpr double kRecordsMax = 20'000;
  std::map<int, int> degree;  // of the polynomial that bounds an operator's output
  int largest = 1;
  for (const Op& op : c.ops) {
    const bool joins = op.kind == "stream.join" || op.kind == "stream.leftJoin" || op.kind == "stream.outerJoin";
    int of_inputs = op.inputs.empty() ? 1 : 0;
    for (const int input : op.inputs) of_inputs = joins ? of_inputs + degree[input] : std::max(of_inputs, degree[input]);
    degree[op.id] = of_inputs;
    largest = std::max(largest, of_inputs);
  }
  return largest <= 2 ? INT64_MAX : std::max<int64_t>(2, static_cast<int64_t>(std::pow(kRecordsMax, 1.0 / largest)));
}

// A stream joined with a versioned table, whose records wait for their grace period in a buffer.
bool HasJoinBuffer(const Op& op) { return op.kind.ends_with("oinVersionedTable") && op.Has("grace"); }

// A join's buffer of Kafka Streams writes down the topic that a record came from, and throws where there is none
// (ProcessorRecordContext.serialize); ours keeps what a punctuation sends.
void RemoveGraceBehindPunctuation(Case& c) {
  std::set<int> reached;  // operators that see such records or make them
  for (Op& op : c.ops) {
    const bool behind = std::any_of(op.inputs.begin(), op.inputs.end(), [&](int input) { return reached.contains(input); });
    if (behind && HasJoinBuffer(op)) op.arguments.erase("grace");
    if (behind || op.kind == "stream.punctuate" || op.kind == "stream.process") reached.insert(op.id);
  }
}

}  // namespace

Case Generate(const Grammar& grammar, uint64_t seed, const std::vector<std::string>& only) {
  Draw draw(seed);
  Case c;
  c.seed = seed;
  c.settings["statestore.cache.max.bytes"] = draw.Percent(30) ? "0" : "10485760";
  if (draw.Percent(25)) c.settings["topology.optimization"] = draw.Percent(60) ? "all" : "single.store.self.join";
  if (draw.Percent(50)) c.settings["errors.dead.letter.queue.topic.name"] = "dead";
  const std::string errors = "org.apache.kafka.streams.errors.LogAnd";
  c.settings["deserialization.exception.handler"] = errors + (draw.Percent(90) ? "Continue" : "Fail") + "ExceptionHandler";
  c.settings["processing.exception.handler"] = errors + (draw.Percent(90) ? "Continue" : "Fail") + "ProcessingExceptionHandler";
  TopologyMaker topology(grammar, draw, c);
  const Kind& about = only.empty() ? grammar.kinds()[seed % grammar.kinds().size()]
                                   : *grammar.Find(only[seed % only.size()]);
  topology.Make(about,
                static_cast<int>(draw.Percent(50) ? draw.Between(0, 3) : draw.Between(2, 8)));
  RemoveGraceBehindPunctuation(c);
  EventMaker events(draw, topology.input_topics(), EdgesOf(c.ops));
  const int64_t count = std::min(draw.Percent(80) ? draw.Between(5, 30) : draw.Between(30, 90), EventsMax(c));
  for (int64_t i = 0; i < count; ++i) c.events.push_back(events.Next());
  // A cache of Kafka Streams keeps where a record came from, which a join's buffer writes down; ours does not.
  for (const Op& op : c.ops)
    if (HasJoinBuffer(op)) c.settings["statestore.cache.max.bytes"] = "0";
  // Kafka Streams has no way around a record of a global table whose time is below zero: it stops.
  for (const Op& op : c.ops)
    if (op.kind == "globalTable" || op.kind == "stream.readGlobalStore")
      for (Event& event : c.events)
        if (event.topic == op.Text("topic")) event.timestamp_ms = std::max<int64_t>(0, event.timestamp_ms);
  return c;
}

}  // namespace tailrace::differential
