// Events on repartition topics: the slots that the rest of the pipeline uses, and nothing else.
//
// Bytes: u8 version (1), then per slot u8 FieldType and: text u32 length ‖ bytes; integer int64; double its IEEE bits; bool
// u8; list u32 count ‖ texts; null nothing. Numbers are big-endian. The number of slots is the reader's.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "tailrace/pipeline/event.h"

namespace tailrace::pipeline::compile {

void EncodeEvent(Event event, std::string& out);

// Not thread-safe; reuses its buffers.
class EventDecoder {
 public:
  explicit EventDecoder(size_t slots) : slots_(slots), lists_(slots) {}
  // False when the bytes are no event with this number of slots. The event refers to `bytes`.
  bool Decode(std::string_view bytes, Event& event);

 private:
  static bool DecodeSlot(std::string_view& in, FieldValue& value, std::vector<std::string_view>& list);

  std::vector<FieldValue> slots_;
  std::vector<std::vector<std::string_view>> lists_;  // per slot
};

}  // namespace tailrace::pipeline::compile
