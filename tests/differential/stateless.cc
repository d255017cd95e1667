// Operators on streams that keep nothing; twin of Stateless.java.
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "grammar.h"
#include "surface.h"

namespace tailrace::differential {
namespace {

void DrawMapping(Plan& plan, Op& op) {
  plan.MaybeName(op);
  plan.MaybeNulls(op);
  plan.MaybeThrows(op);
  op.arguments["tag"] = plan.Fresh("m");
  plan.Number(op, "n", 1, 3);
}

void DrawPredicate(Plan& plan, Op& op) {
  plan.MaybeName(op);
  plan.Number(op, "n", 1, 3);
}

std::vector<MaybeText> Values(const Functions& f, const Text* key, const Text* value) {
  std::vector<MaybeText> values;
  for (uint32_t i = 0; i < f.Count(key, value); ++i) {
    const Text numbered = absl::StrCat(Shown(value), i);
    values.push_back(f.Mapped(key, &numbered));
  }
  return values;
}

std::pair<MaybeText, MaybeText> Pair(const Functions& f, const Text* key, const Text* value) {
  return {f.Selected(key, value), f.Mapped(key, value)};
}

std::vector<std::pair<MaybeText, MaybeText>> Pairs(const Functions& f, const Text* key, const Text* value) {
  std::vector<std::pair<MaybeText, MaybeText>> pairs;
  for (uint32_t i = 0; i < f.Count(key, value); ++i) {
    const Text numbered = absl::StrCat(Shown(value), i);
    pairs.push_back(Pair(f, key, &numbered));
  }
  return pairs;
}

Branches Split(const Stream& in, const Op& op) {
  const int64_t arms = op.Number("arms");
  std::vector<processor::Branch<Text, Text>> branches;
  for (int64_t i = 0; i < arms; ++i) {
    processor::Branch<Text, Text> branch{.predicate = {}, .name = absl::StrCat("-arm", i)};
    if (i < arms - 1 || !op.Flag("default"))
      branch.predicate = [i, n = static_cast<uint32_t>(op.Number("n"))](const Text* key, const Text* value) {
        const Text numbered = absl::StrCat(Shown(key), i);
        return Hash(&numbered, value) % n == 0;
      };
    branches.push_back(std::move(branch));
  }
  Branches result;
  for (auto& [name, stream] : in.Split(std::move(branches), NamedOf(op))) result.push_back(stream);
  return result;
}

}  // namespace

void AddStateless(Grammar& grammar) {
  grammar.Add({"stream", {}, Type::kStream,
               [](Plan& plan, Op& op) {
                 plan.MaybeName(op);
                 if (!plan.shared_topics().empty() && plan.draw.Percent(15)) {
                   op.arguments["topics"] = plan.draw.Of(plan.shared_topics());
                   return;
                 }
                 std::vector<std::string> topics{plan.NewInputTopic()};
                 if (plan.draw.Percent(20)) topics.push_back(plan.NewInputTopic());
                 op.arguments["topics"] = absl::StrJoin(topics, ",");
                 if (plan.draw.Percent(10)) plan.Number(op, "bad", 2, 9);
                 if (plan.draw.Percent(15)) op.arguments["extractor"] = plan.draw.Percent(70) ? "moved" : "partition";
                 if (!op.Has("bad") && !op.Has("extractor")) plan.shared_topics().push_back(op.Text("topics"));
               },
               [](Graph& graph, const Op& op) -> std::any {
                 const std::vector<std::string> topics = absl::StrSplit(op.Text("topics"), ',');
                 const auto stream = [&](auto consumed) {
                   consumed.name = op.TextOr("name", "");
                   if (op.TextOr("extractor", "") == "partition")
                     consumed.timestamp_extractor = processor::TimestampExtractor::kUsePartitionTimeOnInvalidTimestamp;
                   if (op.TextOr("extractor", "") == "moved")
                     return graph.builder.Stream<Text, Text>(topics, consumed.WithTimestampExtractor(MovedTime()));
                   return graph.builder.Stream<Text, Text>(topics, consumed);
                 };
                 if (!op.Has("bad")) return stream(processor::Consumed<>());
                 processor::Consumed<processor::UseDefaultSerde, PickySerde> picky;
                 picky.value_serde.n = static_cast<uint32_t>(op.Number("bad"));
                 return stream(picky);
               }});
  grammar.Add({"stream.filter", {Type::kStream}, Type::kStream, DrawPredicate, [](Graph& graph, const Op& op) -> std::any {
                 return graph.Input<Stream>(op).Filter(
                     [f = Functions(op)](const Text* k, const Text* v) { return f.Chosen(k, v); }, NamedOf(op));
               }});
  grammar.Add({"stream.filterNot", {Type::kStream}, Type::kStream, DrawPredicate, [](Graph& graph, const Op& op) -> std::any {
                 return graph.Input<Stream>(op).FilterNot(
                     [f = Functions(op)](const Text* k, const Text* v) { return f.Chosen(k, v); }, NamedOf(op));
               }});
  grammar.Add({"stream.mapValues", {Type::kStream}, Type::kStream, DrawMapping, [](Graph& graph, const Op& op) -> std::any {
                 return graph.Input<Stream>(op).MapValues(
                     [f = Functions(op)](const Text* k, const Text* v) { return f.Mapped(k, v); }, NamedOf(op));
               }});
  grammar.Add({"stream.map", {Type::kStream}, Type::kStream, DrawMapping, [](Graph& graph, const Op& op) -> std::any {
                 return graph.Input<Stream>(op).Map(
                     [f = Functions(op)](const Text* k, const Text* v) { return Pair(f, k, v); }, NamedOf(op));
               }});
  grammar.Add({"stream.selectKey", {Type::kStream}, Type::kStream, DrawMapping, [](Graph& graph, const Op& op) -> std::any {
                 return graph.Input<Stream>(op).SelectKey(
                     [f = Functions(op)](const Text* k, const Text* v) { return f.Selected(k, v); }, NamedOf(op));
               }});
  grammar.Add({"stream.flatMapValues", {Type::kStream}, Type::kStream, DrawMapping,
               [](Graph& graph, const Op& op) -> std::any {
                 return graph.Input<Stream>(op).FlatMapValues(
                     [f = Functions(op)](const Text* k, const Text* v) { return Values(f, k, v); }, NamedOf(op));
               }});
  grammar.Add({"stream.flatMap", {Type::kStream}, Type::kStream, DrawMapping, [](Graph& graph, const Op& op) -> std::any {
                 return graph.Input<Stream>(op).FlatMap(
                     [f = Functions(op)](const Text* k, const Text* v) { return Pairs(f, k, v); }, NamedOf(op));
               }});
  grammar.Add({"stream.peek", {Type::kStream}, Type::kStream, [](Plan& plan, Op& op) { plan.MaybeName(op); },
               [](Graph& graph, const Op& op) -> std::any {
                 return graph.Input<Stream>(op).Peek([](const Text*, const Text*) {}, NamedOf(op));
               }});
  grammar.Add({"stream.foreach", {Type::kStream}, Type::kNone, [](Plan& plan, Op& op) { plan.MaybeName(op); },
               [](Graph& graph, const Op& op) -> std::any {
                 graph.Input<Stream>(op).ForEach([](const Text*, const Text*) {}, NamedOf(op));
                 return {};
               }});
  grammar.Add({"stream.merge", {Type::kStream, Type::kStream}, Type::kStream,
               [](Plan& plan, Op& op) { plan.MaybeName(op); }, [](Graph& graph, const Op& op) -> std::any {
                 return graph.Input<Stream>(op, 0).Merge(graph.Input<Stream>(op, 1), NamedOf(op));
               }});
  grammar.Add({"stream.split", {Type::kStream}, Type::kBranches,
               [](Plan& plan, Op& op) {
                 plan.MaybeName(op);
                 plan.Number(op, "arms", 2, 3);
                 plan.Number(op, "n", 1, 3);
                 op.arguments["default"] = plan.draw.Percent(50) ? "1" : "0";
               },
               [](Graph& graph, const Op& op) -> std::any { return Split(graph.Input<Stream>(op), op); }});
  grammar.Add({"branches.arm", {Type::kBranches}, Type::kStream, [](Plan& plan, Op& op) { plan.Number(op, "index", 0, 1); },
               [](Graph& graph, const Op& op) -> std::any {
                 return graph.Input<Branches>(op).at(static_cast<size_t>(op.Number("index")));
               }});
  grammar.Add({"stream.repartition", {Type::kStream}, Type::kStream, [](Plan& plan, Op& op) { plan.MaybeName(op); },
               [](Graph& graph, const Op& op) -> std::any {
                 processor::Repartitioned<> repartitioned;
                 repartitioned.name = op.TextOr("name", "");
                 return graph.Input<Stream>(op).Repartition(repartitioned);
               }});
  grammar.Add({"stream.to", {Type::kStream}, Type::kNone,
               [](Plan& plan, Op& op) {
                 plan.MaybeName(op);
                 op.arguments["topic"] = plan.draw.Percent(15) ? "out" : plan.Fresh("out");
               },
               [](Graph& graph, const Op& op) -> std::any {
                 processor::Produced<> produced;
                 produced.name = op.TextOr("name", "");
                 graph.Input<Stream>(op).To(op.Text("topic"), produced);
                 return {};
               }});
}

}  // namespace tailrace::differential
