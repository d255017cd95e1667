// Event time from the record itself, headers that processors see and change, and a partitioner of one's own.
#include "show.h"

using namespace tailrace;
using std::string;

// Marks records that arrived more than a second after they happened.
class MarkLate final : public Processor<string, string> {
 public:
  void Init(ProcessorContext<string, string>& context) override { context_ = &context; }
  void Process(const Record<string, string>& record) override {
    kafka::Headers headers = context_->headers(record);
    if (record.timestamp_ms < context_->stream_time_ms() - 1'000) headers.push_back({"late", "yes"});
    context_->Forward({record.key, record.value, record.timestamp_ms, &headers});
  }

 private:
  ProcessorContext<string, string>* context_ = nullptr;
};

Topology Build() {
  StreamsBuilder builder;
  // Values are "<time> <text>". A negative time would drop the record.
  const auto time_of = [](const Record<string, string>& record, int64_t) { return std::stoll(*record.value); };
  // Everything of one customer goes to one partition, whatever comes behind the dash of the key.
  const auto by_customer = [](std::string_view, const string* key, const string*, int32_t partitions) {
    return static_cast<int32_t>(std::hash<string>()(key->substr(0, key->find('-'))) % static_cast<size_t>(partitions));
  };
  builder.Stream<string, string>("readings", Consumed<>().WithTimestampExtractor(time_of))
      .Process([] { return std::make_unique<MarkLate>(); }, {}, "mark-late")
      .To("marked", Produced<>().WithPartitioner(by_customer));
  return example::Value(builder.Build());
}

int main() {
  const auto driver = example::Value(TopologyTestDriver::Create(Build()));
  auto readings = driver->InputTopic<string, string>("readings");
  example::Check(readings.Pipe("c1-a", "5000 warm", 0));
  example::Check(readings.Pipe("c1-b", "3000 cold", 0));
  for (const processor::DriverRecord& record : driver->TakeProduced("marked")) {
    std::cout << *record.key << " happened at " << record.timestamp_ms;
    for (const kafka::Header& header : record.headers) std::cout << ", " << header.name << ": " << *header.value;
    std::cout << "\n";
  }
}
