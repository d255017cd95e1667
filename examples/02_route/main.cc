// Stateless operators: drops, changes and routes records. No store, no repartition topic.
#include "show.h"

using namespace tailrace;
using std::string;

Topology Build() {
  StreamsBuilder builder;
  const auto requests = builder.Stream<string, string>("requests")
                            .Filter([](const string&, const string& path) { return path != "/health"; })
                            .MapValues([](const string& path) { return path.substr(1); });
  // The first arm whose predicate holds gets the record; the last one takes what is left.
  auto arms = requests.Split({{[](const string*, const string* path) { return path->starts_with("api/"); }, "-api"},
                              {{}, "-rest"}},
                             "split");
  arms.at("split-api").To("api");
  // A topic that the record names.
  arms.at("split-rest").To([](const string*, const string* path, const processor::RecordContext&) {
    return "page-" + path->substr(0, path->find('/'));
  });
  return example::Value(builder.Build());
}

int main() {
  const auto driver = example::Value(TopologyTestDriver::Create(Build()));
  auto requests = driver->InputTopic<string, string>("requests");
  example::Check(requests.Pipe("ann", "/health", 1));
  example::Check(requests.Pipe("ann", "/api/users", 2));
  example::Check(requests.Pipe("bob", "/shop/cart", 3));
  for (const char* topic : {"api", "page-shop"}) example::Show<string, string>(*driver, topic);
}
