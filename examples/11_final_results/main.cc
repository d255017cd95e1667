// One final result per window: changes of a windowed count are held back until the window and its grace are over.
#include "show.h"

using namespace tailrace;
using namespace std::chrono_literals;
using std::string;

Topology Build() {
  StreamsBuilder builder;
  builder.Stream<string, string>("clicks")
      .GroupByKey()
      .WindowedBy(TimeWindows::OfSizeWithNoGrace(1min))
      .Count(Materialized("clicks-per-minute"))
      .Suppress(processor::Suppressed::UntilWindowCloses(processor::BufferConfig::Unbounded()).WithName("final"))
      .ToStream()
      .Map([](const Windowed<string>& window, int64_t count) { return std::pair(window.key, count); })
      .To("counts");
  return example::Value(builder.Build());
}

int main() {
  const auto driver = example::Value(TopologyTestDriver::Create(Build()));
  auto clicks = driver->InputTopic<string, string>("clicks");
  example::Check(clicks.Pipe("ann", "a", 10'000));
  example::Check(clicks.Pipe("ann", "b", 20'000));
  example::Show<string, int64_t>(*driver, "counts");  // nothing yet
  example::Check(clicks.Pipe("bob", "c", 60'000));    // the first minute is over
  example::Show<string, int64_t>(*driver, "counts");
}
