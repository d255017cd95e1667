// What stands around the operators: topics chosen per record, partitioners, headers, children by name, punctuation of both
// kinds, processors that keep the key; twin of Surface.java.
#include <algorithm>
#include <fstream>
#include <memory>

#include "absl/strings/str_cat.h"
#include "grammar.h"
#include "surface.h"

namespace tailrace::differential {
namespace {

using processor::PunctuationType;

// Counts punctuations of stream time and of the wall clock, tells the times that it sees, and cancels one after some firings.
class Clockwork final : public processor::Processor<Text, Text> {
 public:
  explicit Clockwork(const Op& op) : op_(op), functions_(op) {}

  void Init(processor::ProcessorContext<Text, Text>& context) override {
    context_ = &context;
    by_stream_ = context.Schedule(std::chrono::milliseconds(op_.Number("stream")), PunctuationType::kStreamTime,
                                  [this](int64_t now_ms) { Tick("s", now_ms, *by_stream_); });
    by_wall_ = context.Schedule(std::chrono::milliseconds(op_.Number("wall")), PunctuationType::kWallClockTime,
                                [this](int64_t now_ms) { Tick("w", now_ms, *by_wall_); });
  }
  void Process(const processor::Record<Text, Text>& record) override {
    if (functions_.Chosen(record.key, record.value)) context_->RequestCommit();
    const Text told = Times();
    context_->Forward({record.key, &told, record.timestamp_ms, record.headers});
  }

 private:
  Text Times() const { return absl::StrCat(context_->stream_time_ms(), "/", context_->wall_time_ms()); }
  void Tick(const char* kind, int64_t now_ms, processor::PunctuationHandle& handle) {
    const Text key = absl::StrCat(kind, now_ms);
    const Text value = Times();
    context_->Forward({&key, &value, std::max<int64_t>(0, now_ms), nullptr});
    if (++ticks_ == op_.Number("cancel")) handle.Cancel();
  }

  const Op op_;
  const Functions functions_;
  processor::ProcessorContext<Text, Text>* context_ = nullptr;
  std::unique_ptr<processor::PunctuationHandle> by_stream_;
  std::unique_ptr<processor::PunctuationHandle> by_wall_;
  int64_t ticks_ = 0;
};

// Adds a header, and removes those called "h" for some records.
class Tagging final : public processor::Processor<Text, Text> {
 public:
  explicit Tagging(const Op& op) : op_(op), functions_(op) {}
  void Init(processor::ProcessorContext<Text, Text>& context) override { context_ = &context; }
  void Process(const processor::Record<Text, Text>& record) override {
    kafka::Headers headers = context_->headers(record);
    if (functions_.Chosen(record.key, record.value)) std::erase_if(headers, [](const kafka::Header& h) { return h.name == "h"; });
    headers.push_back({op_.Text("tag"), absl::StrCat(headers.size())});
    context_->Forward({record.key, record.value, record.timestamp_ms, &headers});
  }

 private:
  const Op op_;
  const Functions functions_;
  processor::ProcessorContext<Text, Text>* context_ = nullptr;
};

// Sends each record to one of two children, or to both.
class Routing final : public processor::Processor<Text, Text> {
 public:
  explicit Routing(const Op& op) : op_(op) {}
  void Init(processor::ProcessorContext<Text, Text>& context) override {
    context_ = &context;
    left_ = context.Child(op_.Text("left"));
    right_ = context.Child(op_.Text("right"));
  }
  void Process(const processor::Record<Text, Text>& record) override {
    switch (Hash(record.key, record.value) % 3) {
      case 0: return context_->Forward(record, left_);
      case 1: return context_->Forward(record, right_);
      default: return context_->Forward(record);
    }
  }

 private:
  const Op op_;
  processor::ProcessorContext<Text, Text>* context_ = nullptr;
  processor::ChildNode<Text, Text> left_;
  processor::ChildNode<Text, Text> right_;
};

// Keeps the key and the last value of it; a punctuation writes the time into the store.
class KeptKey final : public processor::FixedKeyProcessor<Text, Text> {
 public:
  explicit KeptKey(const Op& op) : op_(op), functions_(op) {}
  void Init(processor::FixedKeyProcessorContext<Text, Text>& context) override {
    context_ = &context;
    store_ = &context.key_value_store(op_.Text("store"));
    punctuation_ = context.Schedule(std::chrono::milliseconds(op_.Number("every")), PunctuationType::kStreamTime,
                                    [this](int64_t now_ms) { Put("at", absl::StrCat(now_ms), std::max<int64_t>(0, now_ms)); });
  }
  void Process(const processor::FixedKeyRecord<Text, Text>& record) override {
    const Text key = Shown(record.key());
    const auto row = store_->Get(key);
    if (!row.ok()) return context_->Fail(row.status());
    const Text before = row->has_value() ? Text((*row)->value) : "first";
    Put(key, Shown(record.value()), record.timestamp_ms());
    if (functions_.MakesNull(record.key(), record.value())) return context_->Forward(record.WithValue<Text>(nullptr));
    const Text told = Bounded(before + ">" + Shown(record.value()));
    context_->Forward(record.WithValue(&told).WithTimestamp(record.timestamp_ms() + 1));
  }

 private:
  void Put(const Text& key, const Text& value, int64_t timestamp_ms) {
    if (const absl::Status put = store_->Put(key, kafka::NullableBytes(value), timestamp_ms); !put.ok()) context_->Fail(put);
  }

  const Op op_;
  const Functions functions_;
  processor::FixedKeyProcessorContext<Text, Text>* context_ = nullptr;
  state::KeyValueStore* store_ = nullptr;
  std::unique_ptr<processor::PunctuationHandle> punctuation_;
};

void DrawName(Plan& plan, Op& op) { plan.MaybeName(op); }

Stream Routed(const Stream& in, const Op& op) {
  const auto routed = in.Process([op] { return std::make_unique<Routing>(op); }, {}, NamedOf(op));
  const auto tagged = [&](const char* side) {
    return routed.MapValues([side = Text(side)](const Text*, const Text* v) { return Bounded(side + Shown(v)); }, op.Text(side));
  };
  const Stream left = tagged("left");
  return left.Merge(tagged("right"));
}

}  // namespace

void AddSurface(Grammar& grammar) {
  grammar.Add({"stream.toDynamic", {Type::kStream}, Type::kNone, DrawName, [](Graph& graph, const Op& op) -> std::any {
                 processor::Produced<> produced;
                 produced.name = op.TextOr("name", "");
                 graph.Input<Stream>(op).To(
                     [](const Text* k, const Text* v, const processor::RecordContext&) {
                       return absl::StrCat("dyn-", Hash(k, v) % 2);
                     },
                     produced);
                 return {};
               }});
  grammar.Add({"stream.toPartitions", {Type::kStream}, Type::kNone,
               [](Plan& plan, Op& op) {
                 plan.MaybeName(op);
                 op.arguments["topic"] = plan.Fresh("parted");
               },
               [](Graph& graph, const Op& op) -> std::any {
                 processor::Produced<> produced;
                 produced.name = op.TextOr("name", "");
                 graph.Input<Stream>(op).To(op.Text("topic"), produced.WithPartitioner(SomePartitions()));
                 return {};
               }});
  grammar.Add({"stream.through", {Type::kStream}, Type::kStream,
               [](Plan& plan, Op& op) { op.arguments["middle"] = plan.Fresh("through"); },
               [](Graph& graph, const Op& op) -> std::any {
                 graph.Input<Stream>(op).To(op.Text("middle"));
                 return graph.builder.Stream<Text, Text>(op.Text("middle"));
               }});
  grammar.Add({"stream.repartitionWith", {Type::kStream}, Type::kStream,
               [](Plan& plan, Op& op) {
                 plan.MaybeName(op);
                 plan.Number(op, "partitions", 1, 6);
               },
               [](Graph& graph, const Op& op) -> std::any {
                 processor::Repartitioned<> repartitioned(op.TextOr("name", ""));
                 repartitioned.WithNumberOfPartitions(static_cast<int32_t>(op.Number("partitions")));
                 return graph.Input<Stream>(op).Repartition(repartitioned.WithPartitioner(SomePartitions()));
               }});
  grammar.Add({"stream.headers", {Type::kStream}, Type::kStream,
               [](Plan& plan, Op& op) {
                 plan.MaybeName(op);
                 plan.Number(op, "n", 1, 3);
                 op.arguments["tag"] = plan.Fresh("t");
               },
               [](Graph& graph, const Op& op) -> std::any {
                 return graph.Input<Stream>(op).Process([op] { return std::make_unique<Tagging>(op); }, {}, NamedOf(op));
               }});
  grammar.Add({"stream.punctuate", {Type::kStream}, Type::kStream,
               [](Plan& plan, Op& op) {
                 plan.MaybeName(op);
                 plan.Number(op, "n", 1, 3);
                 plan.Number(op, "stream", 1, 40);
                 plan.Number(op, "wall", 1, 40);
                 plan.Number(op, "cancel", 1, 8);
               },
               [](Graph& graph, const Op& op) -> std::any {
                 return graph.Input<Stream>(op).Process([op] { return std::make_unique<Clockwork>(op); }, {}, NamedOf(op));
               }});
  grammar.Add({"stream.route", {Type::kStream}, Type::kStream,
               [](Plan& plan, Op& op) {
                 plan.MaybeName(op);
                 op.arguments["left"] = plan.Fresh("left");
                 op.arguments["right"] = plan.Fresh("right");
               },
               [](Graph& graph, const Op& op) -> std::any { return Routed(graph.Input<Stream>(op), op); }});
  grammar.Add({"stream.processValues", {Type::kStream}, Type::kStream,
               [](Plan& plan, Op& op) {
                 plan.MaybeName(op);
                 plan.MaybeNulls(op);
                 plan.Store(op);
                 op.arguments["store"] = plan.Fresh("store");
                 plan.Number(op, "every", 1, 50);
               },
               [](Graph& graph, const Op& op) -> std::any {
                 graph.builder.AddStateStore(StoreOf(op));
                 return graph.Input<Stream>(op).ProcessValues([op] { return std::make_unique<KeptKey>(op); },
                                                              {op.Text("store")}, NamedOf(op));
               }});
  grammar.Add({"stream.print", {Type::kStream}, Type::kNone, DrawName, [](Graph& graph, const Op& op) -> std::any {
                 static std::ofstream nowhere("/dev/null");
                 auto printed = processor::Printed<>::To(nowhere);
                 printed.name = op.TextOr("name", "");
                 graph.Input<Stream>(op).Print(printed);
                 return {};
               }});
}

}  // namespace tailrace::differential
