// What the examples share: they run on the test driver, so each is a complete program without a broker.
#pragma once

#include <cstdlib>
#include <iostream>
#include <optional>
#include <string>

#include "tailrace/tailrace.h"

namespace example {

// Ends the program when something went wrong.
inline void Check(const absl::Status& status) {
  if (status.ok()) return;
  std::cerr << status.message() << "\n";
  std::exit(1);
}

template <class T>
T Value(absl::StatusOr<T> result) {
  Check(result.status());
  return *std::move(result);
}

inline std::string Text(const std::string& text) { return text; }
template <class T>
std::string Text(const T& value) {
  if constexpr (requires { value.key; value.start_ms; })
    return Text(value.key) + "[" + std::to_string(value.start_ms) + ".." + std::to_string(value.end_ms) + "]";
  else return std::to_string(value);
}
template <class T>
std::string Text(const std::optional<T>& value) {
  return value.has_value() ? Text(*value) : "null";
}

// Prints what was written to a topic since the last call, one record per line.
template <class K, class V, class KS = tailrace::processor::DefaultSerde<K>>
void Show(tailrace::TopologyTestDriver& driver, const std::string& topic, KS key_serde = {}) {
  auto output = driver.OutputTopic<K, V, KS>(topic, key_serde);
  for (const auto& record : Value(output.ReadAll()))
    std::cout << topic << ": " << Text(record.key) << " -> " << Text(record.value) << " @" << record.timestamp_ms << "\n";
}

}  // namespace example
