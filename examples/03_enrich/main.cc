// A stream joined with a table: each order gets the customer's name as it is known when the order is processed.
#include "show.h"

using namespace tailrace;
using std::string;

Topology Build() {
  StreamsBuilder builder;
  const auto customers = builder.Table<string, string>("customers", Materialized("customers"));
  // Orders and customers have the same key, and both topics the same number of partitions.
  builder.Stream<string, string>("orders")
      .LeftJoin(customers, [](const string& order, const string* name) { return order + " for " + (name ? *name : "somebody"); })
      .To("named-orders");
  return example::Value(builder.Build());
}

int main() {
  const auto driver = example::Value(TopologyTestDriver::Create(Build()));
  auto customers = driver->InputTopic<string, string>("customers");
  auto orders = driver->InputTopic<string, string>("orders");
  example::Check(orders.Pipe("c1", "tea", 1));
  example::Check(customers.Pipe("c1", "Ann", 2));
  example::Check(orders.Pipe("c1", "coffee", 3));
  example::Check(customers.Pipe("c1", std::nullopt, 4));  // a null value deletes the row
  example::Check(orders.Pipe("c1", "milk", 5));
  example::Show<string, string>(*driver, "named-orders");
}
