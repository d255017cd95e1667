// A record that waits in a buffer, as bytes (BufferValue, ProcessorRecordContext).
#pragma once

#include <string>
#include <string_view>

#include "tailrace/kafka/record.h"
#include "tailrace/processor/record.h"

namespace tailrace::processor {

struct BufferValue {
  RecordContext record;  // its topic lies in the bytes
  kafka::Headers headers;
  kafka::NullableBytes prior_value;
  kafka::NullableBytes old_value;
  kafka::NullableBytes new_value;
};

// int64 time ‖ int64 offset ‖ int32 size ‖ topic ‖ int32 partition ‖ int32 n, n × { int32 size ‖ name ‖ int32 size, -1: null ‖
// value } ‖ prior value ‖ old value ‖ new value, each int32 size, -1: null ‖ bytes; the old one has the size -2 when it equals
// the prior one.
void AppendBufferValue(std::string& out, const RecordContext& record, const kafka::Headers& headers,
                       kafka::NullableBytes prior_value, kafka::NullableBytes old_value, kafka::NullableBytes new_value);
// Views into `bytes`, of which more may follow. False when the bytes are damaged.
bool ParseBufferValue(std::string_view bytes, BufferValue& value);

}  // namespace tailrace::processor
