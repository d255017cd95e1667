// The Processor API: forwards each id once per ten seconds of event time, and forgets ids by punctuation.
#include "show.h"
#include "tailrace/processor/stores.h"
#include "tailrace/processor/typed_store.h"

using namespace tailrace;
using namespace std::chrono_literals;
using std::string;

class Deduplicate final : public Processor<string, string> {
 public:
  void Init(ProcessorContext<string, string>& context) override {
    context_ = &context;
    seen_.Open(context, "seen");
    forget_ = context.Schedule(5s, processor::PunctuationType::kStreamTime, [this](int64_t now_ms) { Forget(now_ms); });
  }
  void Process(const Record<string, string>& record) override {
    if (seen_.PutIfAbsent(*record.key, record.timestamp_ms)) context_->Forward(record);
  }

 private:
  void Forget(int64_t now_ms) {
    std::vector<string> old;  // a store is not changed while it is visited
    seen_.All([&](const string& id, int64_t time_ms) {
      if (time_ms < now_ms - 10'000) old.push_back(id);
    });
    for (const string& id : old) seen_.Delete(id);
  }

  ProcessorContext<string, string>* context_ = nullptr;
  processor::TypedKeyValueStore<string, int64_t> seen_;
  std::unique_ptr<processor::PunctuationHandle> forget_;
};

Topology Build() {
  StreamsBuilder builder;
  builder.AddStateStore(processor::Stores::PersistentKeyValueStore("seen"));
  builder.Stream<string, string>("events").Process([] { return std::make_unique<Deduplicate>(); }, {"seen"}, "once").To("unique");
  return example::Value(builder.Build());
}

int main() {
  const auto driver = example::Value(TopologyTestDriver::Create(Build()));
  auto events = driver->InputTopic<string, string>("events");
  example::Check(events.Pipe("id1", "first", 1'000));
  example::Check(events.Pipe("id1", "again", 2'000));
  example::Check(events.Pipe("id2", "other", 20'000));  // stream time passes: id1 is forgotten
  example::Check(events.Pipe("id1", "much later", 21'000));
  example::Show<string, string>(*driver, "unique");
}
