// Two streams joined: orders with payments of the same key that come within a minute. An order that nobody pays is told, once
// its window is over.
#include "show.h"

using namespace tailrace;
using namespace std::chrono_literals;
using std::string;

Topology Build() {
  StreamsBuilder builder;
  const auto payments = builder.Stream<string, string>("payments");
  builder.Stream<string, string>("orders")
      .LeftJoin(payments,
                [](const string& order, const string* payment) { return order + (payment ? " paid by " + *payment : " unpaid"); },
                processor::JoinWindows::OfTimeDifferenceWithNoGrace(1min), processor::StreamJoined<>("pay").WithStoreName("pay"))
      .To("results");
  return example::Value(builder.Build());
}

int main() {
  const auto driver = example::Value(TopologyTestDriver::Create(Build()));
  auto orders = driver->InputTopic<string, string>("orders");
  auto payments = driver->InputTopic<string, string>("payments");
  example::Check(orders.Pipe("o1", "tea", 10'000));
  example::Check(payments.Pipe("o1", "card", 40'000));
  example::Check(orders.Pipe("o2", "coffee", 50'000));
  example::Check(payments.Pipe("o2", "cash", 200'000));  // too late; time passes, and the order is told without it
  example::Check(orders.Pipe("o3", "milk", 200'000));
  example::Show<string, string>(*driver, "results");
}
