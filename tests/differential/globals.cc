// Global tables and stores, and joins of streams with them; twin of Globals.java.
#include "grammar.h"

namespace tailrace::differential {
namespace {

void DrawJoin(Plan& plan, Op& op) {
  plan.MaybeName(op);
  plan.MaybeNulls(op);
  op.arguments["by"] = plan.draw.Of(std::vector<std::string>{"key", "value", "some"});
  if (plan.draw.Percent(30)) op.arguments["keyed"] = "1";
  plan.Number(op, "n", 1, 3);
}

// The table's key of a record: its key, its value, or none for some records.
MaybeText MappedKey(const Op& op, const Functions& f, const Text* key, const Text* value) {
  const std::string& by = op.Text("by");
  if (by == "value") return *value;
  if (key == nullptr || (by == "some" && f.Chosen(key, value))) return std::nullopt;
  return *key;
}

MaybeText JoinedWithKey(const Functions& f, const Text* key, const Text* a, const Text* b) {
  const Text first = Shown(key) + ":" + Shown(a);
  return f.Joined(&first, b);
}

// Keeps the values of a topic under their keys, marked; what has no key is not kept.
class Keeper final : public processor::Processor<Text, Text, Text, Text> {
 public:
  explicit Keeper(std::string store) : store_name_(std::move(store)) {}
  void Init(processor::ProcessorContext<Text, Text>& context) override { store_.Open(context, store_name_); }
  void Process(const processor::Record<Text, Text>& record) override {
    if (record.key == nullptr) return;
    if (record.value == nullptr) store_.Delete(*record.key);
    else store_.Put(*record.key, "<" + *record.value + ">");
  }

 private:
  const std::string store_name_;
  processor::TypedKeyValueStore<Text, Text> store_;
};

// Puts the row that a global store has for the key beside the value.
class Reader final : public processor::Processor<Text, Text, Text, Text> {
 public:
  explicit Reader(std::string store) : store_(std::move(store)) {}
  void Init(processor::ProcessorContext<Text, Text>& context) override { context_ = &context; }
  void Process(const processor::Record<Text, Text>& record) override {
    std::optional<Text> row;
    if (record.key != nullptr)
      if (const auto found = context_->global_stores()->Get(store_, *record.key); found.ok() && found->has_value()) row = (*found)->value;
    const Text value = Bounded(Shown(record.value) + "|" + Shown(row.has_value() ? &*row : nullptr));
    context_->Forward({record.key, &value, record.timestamp_ms, record.headers});
  }

 private:
  const std::string store_;
  processor::ProcessorContext<Text, Text>* context_ = nullptr;
};

}  // namespace

void AddGlobals(Grammar& grammar) {
  grammar.Add({"globalTable", {}, Type::kGlobalTable,
               [](Plan& plan, Op& op) {
                 plan.MaybeName(op);
                 if (plan.draw.Percent(60)) {
                   op.arguments["store"] = plan.Fresh("store");
                   if (plan.draw.Percent(50)) op.arguments["cached"] = "1";
                   if (plan.draw.Percent(30)) op.arguments["memory"] = "1";
                 }
                 op.arguments["topic"] = plan.NewInputTopic();
               },
               [](Graph& graph, const Op& op) -> std::any {
                 processor::Consumed<> consumed;
                 consumed.name = op.TextOr("name", "");
                 return graph.builder.GlobalTable<Text, Text>(op.Text("topic"), consumed, MaterializedOf(op));
               }});
  grammar.Add({"stream.joinGlobalTable", {Type::kStream, Type::kGlobalTable}, Type::kStream, DrawJoin,
               [](Graph& graph, const Op& op) -> std::any {
                 const auto mapper = [op, f = Functions(op)](const Text* k, const Text* v) { return MappedKey(op, f, k, v); };
                 const Stream& stream = graph.Input<Stream>(op, 0);
                 const GlobalTable& table = graph.Input<GlobalTable>(op, 1);
                 if (op.Flag("keyed"))
                   return stream.Join(table, mapper, [f = Functions(op)](const Text* k, const Text& v, const Text& t) {
                     return JoinedWithKey(f, k, &v, &t);
                   }, NamedOf(op));
                 return stream.Join(table, mapper, [f = Functions(op)](const Text& v, const Text& t) { return f.Joined(&v, &t); },
                                    NamedOf(op));
               }});
  grammar.Add({"stream.leftJoinGlobalTable", {Type::kStream, Type::kGlobalTable}, Type::kStream, DrawJoin,
               [](Graph& graph, const Op& op) -> std::any {
                 const auto mapper = [op, f = Functions(op)](const Text* k, const Text* v) { return MappedKey(op, f, k, v); };
                 const Stream& stream = graph.Input<Stream>(op, 0);
                 const GlobalTable& table = graph.Input<GlobalTable>(op, 1);
                 if (op.Flag("keyed"))
                   return stream.LeftJoin(table, mapper, [f = Functions(op)](const Text* k, const Text& v, const Text* t) {
                     return JoinedWithKey(f, k, &v, t);
                   }, NamedOf(op));
                 return stream.LeftJoin(table, mapper, [f = Functions(op)](const Text& v, const Text* t) { return f.Joined(&v, t); },
                                        NamedOf(op));
               }});
  // A global store with a processor of its own, and a stream that reads it.
  grammar.Add({"stream.readGlobalStore", {Type::kStream}, Type::kStream,
               [](Plan& plan, Op& op) {
                 plan.MaybeName(op);
                 op.arguments["store"] = plan.Fresh("store");
                 op.arguments["topic"] = plan.NewInputTopic();
                 if (plan.draw.Percent(50)) op.arguments["cached"] = "1";
               },
               [](Graph& graph, const Op& op) -> std::any {
                 const std::string store = op.Text("store");
                 processor::StoreBuilder description = processor::Stores::PersistentKeyValueStore(store);
                 if (op.Flag("cached")) description.WithCachingEnabled();
                 processor::Consumed<> consumed;
                 if (op.Has("name")) consumed.name = op.Text("name") + "-keeper";
                 graph.builder.AddGlobalStore<Text, Text>(description, op.Text("topic"), [store] { return std::make_unique<Keeper>(store); },
                                                          consumed);
                 return graph.Input<Stream>(op).Process([store] { return std::make_unique<Reader>(store); }, {}, NamedOf(op));
               }});
}

}  // namespace tailrace::differential
