// Session windows: clicks of one visitor that follow each other within 30 seconds are one visit. A late click can join two.
#include "show.h"

using namespace tailrace;
using namespace std::chrono_literals;
using std::string;

Topology Build() {
  StreamsBuilder builder;
  builder.Stream<string, string>("clicks")
      .GroupByKey()
      .WindowedBy(processor::SessionWindows::OfInactivityGapAndGrace(30s, 1min))
      .Count(Materialized("visits"))
      .ToStream()
      .To("visits", Produced<processor::SessionWindowedSerde<processor::StringSerde>>{});
  return example::Value(builder.Build());
}

int main() {
  const auto driver = example::Value(TopologyTestDriver::Create(Build()));
  auto clicks = driver->InputTopic<string, string>("clicks");
  example::Check(clicks.Pipe("ann", "a", 10'000));
  example::Check(clicks.Pipe("ann", "b", 65'000));  // a visit of its own
  example::Check(clicks.Pipe("ann", "c", 40'000));  // near both: they become one, and the two are deleted
  example::Show<Windowed<string>, int64_t>(*driver, "visits", processor::SessionWindowedSerde<processor::StringSerde>{});
}
