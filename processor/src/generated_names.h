// Which names the builder made up, and which call gives a name instead.
#pragma once

#include <string>
#include <string_view>

namespace tailrace::processor {

// True for what Kafka Streams counts as not named: stores and repartition topics that carry a number of the builder.
// Resources of a foreign-key join are not counted, as there.
bool IsGeneratedName(std::string_view name);

// "give Count, Reduce or Aggregate a Materialized("name")"
std::string CallThatNames(std::string_view store);
std::string CallThatNamesRepartition(std::string_view topic);

}  // namespace tailrace::processor
