// A foreign-key join: products name their vendor. A change of a vendor updates all of its products, a change of a product
// looks its vendor up.
#include "show.h"

using namespace tailrace;
using std::string;

Topology Build() {
  StreamsBuilder builder;
  // product -> "<vendor>:<price>"
  const auto products = builder.Table<string, string>("products", Materialized("products"));
  const auto vendors = builder.Table<string, string>("vendors", Materialized("vendors"));
  products
      .LeftJoin(vendors, [](const string& product) { return product.substr(0, product.find(':')); },
                [](const string& product, const string* vendor) {
                  return product.substr(product.find(':') + 1) + " at " + (vendor ? *vendor : "nobody");
                },
                processor::TableJoined<string, string>("vendor-of"))
      .ToStream()
      .To("offers");
  return example::Value(builder.Build());
}

int main() {
  const auto driver = example::Value(TopologyTestDriver::Create(Build()));
  auto products = driver->InputTopic<string, string>("products");
  auto vendors = driver->InputTopic<string, string>("vendors");
  example::Check(products.Pipe("tea", "v1:250", 1));
  example::Check(products.Pipe("milk", "v1:90", 2));
  example::Check(vendors.Pipe("v1", "Ann's", 3));
  example::Check(products.Pipe("milk", std::nullopt, 4));
  example::Show<string, string>(*driver, "offers");
}
