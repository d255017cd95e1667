// The list of values that one key of an outer join's shared store holds, in Kafka Streams' bytes: byte 1, int32 number,
// number x {int32 size, byte side (1: left), value} (ListSerializer, LeftOrRightValueSerializer).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "absl/functional/function_ref.h"

namespace tailrace::processor {

// Writes `list` (empty: no list yet) with one more value to `out`. False: `list` is damaged.
bool AppendJoinValue(std::string_view list, bool left, std::string_view value, std::string& out);

// 0 when `list` is damaged.
int32_t CountJoinValues(std::string_view list);

// Calls `visit` for each value, in order. False: `list` is damaged; some values may have been visited.
bool VisitJoinValues(std::string_view list, absl::FunctionRef<void(bool left, std::string_view value)> visit);

}  // namespace tailrace::processor
