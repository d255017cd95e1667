// An average over overlapping windows: each record counts in two windows of ten seconds, one every five.
#include "show.h"

using namespace tailrace;
using namespace std::chrono_literals;
using std::string;

// An aggregate of one's own needs a serde: here text, "sum count".
struct Average {
  double sum = 0;
  int64_t count = 0;
};
template <>
struct tailrace::processor::DefaultSerde<Average> {
  std::string_view Serialize(const Average& value, string& scratch) const {
    scratch = std::to_string(value.sum) + " " + std::to_string(value.count);
    return scratch;
  }
  bool Deserialize(std::string_view bytes, Average& value) const {
    const size_t blank = bytes.find(' ');
    if (blank == std::string_view::npos) return false;
    value = {std::stod(string(bytes.substr(0, blank))), std::stoll(string(bytes.substr(blank + 1)))};
    return true;
  }
};

Topology Build() {
  StreamsBuilder builder;
  builder.Stream<string, double>("temperatures")
      .GroupByKey()
      .WindowedBy(TimeWindows::OfSizeWithNoGrace(10s).AdvanceBy(5s))
      .Aggregate<Average>([] { return Average{}; },
                          [](const string&, double value, Average all) {
                            return Average{all.sum + value, all.count + 1};
                          },
                          Materialized("averages"))
      .ToStream()
      .Map([](const Windowed<string>& window, const Average& all) {
        return std::pair(window.key + "@" + std::to_string(window.start_ms), all.sum / static_cast<double>(all.count));
      })
      .To("averages");
  return example::Value(builder.Build());
}

int main() {
  const auto driver = example::Value(TopologyTestDriver::Create(Build()));
  auto temperatures = driver->InputTopic<string, double>("temperatures");
  example::Check(temperatures.Pipe("roof", 10.0, 6'000));
  example::Check(temperatures.Pipe("roof", 20.0, 12'000));
  example::Show<string, double>(*driver, "averages");
}
