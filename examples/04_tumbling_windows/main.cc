// Counts per key and minute of event time. Late records count while their window's grace lasts.
#include "show.h"

using namespace tailrace;
using namespace std::chrono_literals;
using std::string;

constexpr int64_t kMinuteMs = 60'000;

Topology Build() {
  StreamsBuilder builder;
  builder.Stream<string, string>("clicks")
      .GroupByKey()
      .WindowedBy(TimeWindows::OfSizeAndGrace(1min, 30s))
      .Count(Materialized("clicks-per-minute"))
      .ToStream()
      .Map([](const Windowed<string>& window, int64_t count) {
        return std::pair(window.key + "@" + std::to_string(window.start_ms / kMinuteMs), count);
      })
      .To("counts");
  return example::Value(builder.Build());
}

int main() {
  const auto driver = example::Value(TopologyTestDriver::Create(Build()));
  auto clicks = driver->InputTopic<string, string>("clicks");
  example::Check(clicks.Pipe("ann", "a", 10'000));
  example::Check(clicks.Pipe("ann", "b", 70'000));  // the next minute
  example::Check(clicks.Pipe("ann", "c", 20'000));  // late, within the grace
  example::Check(clicks.Pipe("bob", "d", 95'000));
  example::Check(clicks.Pipe("ann", "e", 30'000));  // its window closed at 90 s
  example::Show<string, int64_t>(*driver, "counts");
  std::cout << "dropped as late: " << driver->Dropped()["late"] << "\n";
}
