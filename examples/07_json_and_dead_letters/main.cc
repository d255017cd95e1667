// JSON values, and what happens with records that cannot be read or processed: they go to the dead-letter topic with the
// reason in their headers, and processing goes on.
#include "show.h"
#include "tailrace/processor/json_serde.h"

using namespace tailrace;
using std::string;

struct Order {
  string item;
  int64_t cents = 0;
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(Order, item, cents)
template <>
struct tailrace::processor::DefaultSerde<Order> : tailrace::processor::JsonSerde<Order> {};

Topology Build() {
  StreamsBuilder builder;
  builder.Stream<string, Order>("orders", Consumed<>{.name = "read"})
      .MapValues(
          [](const Order& order) {
            if (order.cents < 0) throw std::invalid_argument("a negative price");
            return Order{order.item, order.cents * 2};
          },
          "price")
      .To("doubled");
  return example::Value(builder.Build());
}

int main() {
  // An application sets errors.dead.letter.queue.topic.name; *.exception.handler choose continue, skip or fail.
  const auto driver = example::Value(TopologyTestDriver::Create(Build(), {.dead_letter_topic = "dead-letters"}));
  auto orders = driver->InputTopic<string, string>("orders");
  example::Check(orders.Pipe("o1", R"({"item":"tea","cents":250})", 1));
  example::Check(orders.Pipe("o2", "no JSON", 2));
  example::Check(orders.Pipe("o3", R"({"item":"coffee","cents":-1})", 3));
  example::Show<string, string>(*driver, "doubled");
  for (const processor::DriverRecord& dead : driver->TakeProduced("dead-letters"))
    for (const kafka::Header& header : dead.headers)
      if (header.name == "__streams.errors.message") std::cout << *dead.key << ": " << *header.value << "\n";
}
