#include "generated_names.h"

#include <algorithm>

namespace tailrace::processor {
namespace {

constexpr size_t kDigits = 10;

bool Contains(std::string_view text, std::string_view part) { return text.find(part) != std::string_view::npos; }

// "-0000000003" that ends there or goes on with '-'.
bool HasNumber(std::string_view name) {
  for (size_t dash = name.find('-'); dash != std::string_view::npos; dash = name.find('-', dash + 1)) {
    const std::string_view digits = name.substr(dash + 1, kDigits);
    const size_t after = dash + 1 + kDigits;
    if (digits.size() == kDigits && std::all_of(digits.begin(), digits.end(), [](char c) { return c >= '0' && c <= '9'; }) &&
        (after == name.size() || name[after] == '-'))
      return true;
  }
  return false;
}

}  // namespace

bool IsGeneratedName(std::string_view name) {
  if (name.starts_with("KTABLE-FK-JOIN-") || !HasNumber(name)) return false;
  return name.starts_with("KSTREAM-") || name.starts_with("KTABLE-") || name.starts_with("COGROUPKSTREAM-") ||
         Contains(name, "-STATE-STORE-");
}

std::string CallThatNames(std::string_view store) {
  if (Contains(store, "JOIN") || Contains(store, "OUTER"))
    return store.starts_with("KTABLE-") ? "give the join a Materialized(\"name\")"
                                        : "give the join a StreamJoined with a name and a store name";
  if (Contains(store, "SUPPRESS")) return "give Suppress a name: Suppressed...WithName(\"name\")";
  if (Contains(store, "TOTABLE")) return "give ToTable a Materialized(\"name\")";
  if (Contains(store, "AGGREGATE") || Contains(store, "REDUCE"))
    return "give Count, Reduce or Aggregate a Materialized(\"name\")";
  return "give the table a Materialized(\"name\")";
}

std::string CallThatNamesRepartition(std::string_view topic) {
  if (topic.starts_with("KSTREAM-REPARTITION-")) return "give Repartition a Repartitioned(\"name\")";
  if (Contains(topic, "STATE-STORE")) return "give GroupBy or GroupByKey a Grouped(\"name\")";
  return "give the operator that needs it a name: the join, ToTable or GroupBy";
}

}  // namespace tailrace::processor
