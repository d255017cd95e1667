// A topology of ten operators, as a user writes one.
#include <iostream>

#include "tailrace/tailrace.h"

using namespace tailrace;
using namespace std::chrono_literals;
using std::string;

int main() {
  StreamsBuilder builder;
  const auto customers = builder.Table<string, string>("customers", Materialized("customers"));                        // 1
  builder.Stream<string, string>("orders")                                                                             // 2
      .Filter([](const string&, const string& item) { return !item.empty(); })                                         // 3
      .LeftJoin(customers, [](const string& item, const string* name) { return item + (name ? *name : ""); })          // 4
      .MapValues([](const string& item) { return item.substr(0, 3); })                                                 // 5
      .GroupBy([](const string&, const string& item) { return item; }, Grouped("by-item"))                             // 6
      .WindowedBy(TimeWindows::OfSizeAndGrace(1min, 10s))                                                              // 7
      .Count(Materialized("items-per-minute"))                                                                         // 8
      .ToStream()                                                                                                      // 9
      .Map([](const Windowed<string>& window, int64_t count) { return std::pair(window.key, count); })                 // 10
      .To("counts");
  auto topology = builder.Build();
  if (!topology.ok()) return 1;
  auto driver = TopologyTestDriver::Create(*std::move(topology));
  if (!driver.ok()) return 1;
  auto orders = (*driver)->InputTopic<string, string>("orders");
  for (const int64_t time : {1, 2})
    if (!orders.Pipe("c1", "tea", time).ok()) return 1;
  auto counts = (*driver)->OutputTopic<string, int64_t>("counts").ReadAll();
  if (!counts.ok() || counts->empty()) return 1;
  std::cout << *counts->back().key << " " << *counts->back().value << "\n";
}
