// The Processor API with one fixed processor; twin of Processors.java.
#include <algorithm>
#include <memory>

#include "absl/strings/str_cat.h"
#include "grammar.h"

namespace tailrace::differential {
namespace {

// Keeps the last value of each key, forwards it with the one before, and tells all of it at each punctuation.
class Remember final : public processor::Processor<Text, Text> {
 public:
  explicit Remember(const Op& op) : op_(op), functions_(op) {}

  void Init(processor::ProcessorContext<Text, Text>& context) override {
    context_ = &context;
    store_ = &context.key_value_store(op_.Text("store"));
    punctuation_ = context.Schedule(
        std::chrono::milliseconds(op_.Number("every")),
        op_.Flag("wall") ? processor::PunctuationType::kWallClockTime : processor::PunctuationType::kStreamTime,
        [this](int64_t now_ms) { TellAll(now_ms); });
  }

  void Process(const processor::Record<Text, Text>& record) override {
    const Text key = Shown(record.key);
    Text before = "first";
    if (const auto row = store_->Get(key); !row.ok()) {
      return context_->Fail(row.status());
    } else if (row->has_value()) {
      before = absl::StrCat(Text((*row)->value), "@", (*row)->timestamp_ms);
    }
    const bool removes = functions_.MakesNull(&key, record.value);
    const Text next = Shown(record.value);
    const absl::Status put =
        store_->Put(key, removes ? kafka::NullableBytes() : kafka::NullableBytes(next), record.timestamp_ms);
    if (!put.ok()) return context_->Fail(put);
    const Text told = Bounded(before + ">" + (removes ? "~" : next));
    context_->Forward({&key, &told, record.timestamp_ms, record.headers});
  }

 private:
  void TellAll(int64_t now_ms) {
    Text told;
    const absl::Status status = store_->Range(std::nullopt, std::nullopt, [&](const state::Row& row) {
      told += Text(row.key) + "=" + Text(row.value) + ";";
      return true;
    });
    if (!status.ok()) return context_->Fail(status);
    const Text key = absl::StrCat("at", now_ms);
    const Text value = Bounded(told);
    context_->Forward({&key, &value, std::max<int64_t>(0, now_ms), nullptr});
  }

  const Op op_;
  const Functions functions_;
  processor::ProcessorContext<Text, Text>* context_ = nullptr;
  state::KeyValueStore* store_ = nullptr;
  std::unique_ptr<processor::detail::PunctuationHandle> punctuation_;
};

}  // namespace

void AddProcessors(Grammar& grammar) {
  grammar.Add({"stream.process", {Type::kStream}, Type::kStream,
               [](Plan& plan, Op& op) {
                 plan.MaybeName(op);
                 plan.MaybeNulls(op);
                 plan.Store(op);
                 op.arguments["store"] = plan.Fresh("store");
                 op.arguments["wall"] = plan.draw.Percent(50) ? "1" : "0";
                 plan.Number(op, "every", 1, 50);
               },
               [](Graph& graph, const Op& op) -> std::any {
                 graph.builder.AddStateStore(StoreOf(op));
                 return graph.Input<Stream>(op).Process([op] { return std::make_unique<Remember>(op); },
                                                        {op.Text("store")}, NamedOf(op));
               }});
}

}  // namespace tailrace::differential
