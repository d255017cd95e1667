// What travels between the two sides of a foreign-key join, and the key of the subscription store (docs/formats.md).
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "tailrace/kafka/record.h"

namespace tailrace::processor::detail {

// Of the left row for which an answer is asked; absent when there is none.
using RowHash = std::optional<std::array<uint64_t, 2>>;
RowHash HashOfRow(kafka::NullableBytes row);

enum class SubscriptionInstruction : uint8_t {
  kDeleteKeyNoPropagate = 0,
  kDeleteKeyAndPropagate = 1,
  kPropagateNullIfNoForeignValue = 2,
  kPropagateOnlyIfForeignValue = 3,
};

// Left to right: "row `primary_key` points to the foreign key of this record" (SubscriptionWrapper).
struct Subscription {
  RowHash hash;
  SubscriptionInstruction instruction = SubscriptionInstruction::kDeleteKeyNoPropagate;
  std::string_view primary_key;
  std::optional<int32_t> primary_partition;  // absent in version 0
};
// Version 1: version with bit 7 set when the hash is absent ‖ instruction ‖ hash ‖ primary key ‖ int32 partition. Version 0,
// without the partition, when that is absent.
void AppendSubscription(std::string& out, const Subscription& subscription);
// nullopt when these are no subscription, or one of a later version.
std::optional<Subscription> ParseSubscription(std::string_view bytes);

// Right to left: what the foreign key's row is (SubscriptionResponseWrapper). An empty row and no row are the same.
struct ForeignResponse {
  RowHash hash;
  kafka::NullableBytes foreign_value;
  std::optional<int32_t> primary_partition;  // where it goes; not in the bytes
};
void AppendForeignResponse(std::string& out, const ForeignResponse& response);
std::optional<ForeignResponse> ParseForeignResponse(std::string_view bytes);

// int32 size ‖ foreign key ‖ primary key: the subscriptions of one foreign key have one prefix (CombinedKeySchema).
void AppendCombinedKey(std::string& out, std::string_view foreign_key, std::string_view primary_key);
// The primary key in a combined key that begins with `prefix_size` bytes of foreign key and its size.
inline std::string_view PrimaryKeyOf(std::string_view combined, size_t prefix_size) { return combined.substr(prefix_size); }

}  // namespace tailrace::processor::detail
