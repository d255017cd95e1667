// Protobuf messages in their binary form. Includes nothing of protobuf: it fits any type with these two functions.
//
//   template <> struct tailrace::processor::DefaultSerde<shop::Order> : tailrace::processor::ProtobufSerde<shop::Order> {};
#pragma once

#include <concepts>
#include <string>
#include <string_view>

namespace tailrace::processor {

template <class M>
concept ProtobufMessage = requires(const M& in, M& out, std::string* bytes) {
  { in.SerializeToString(bytes) } -> std::convertible_to<bool>;
  { out.ParseFromArray("", 0) } -> std::convertible_to<bool>;
};

template <ProtobufMessage M>
struct ProtobufSerde {
  std::string_view Serialize(const M& message, std::string& scratch) const {
    if (!message.SerializeToString(&scratch)) scratch.clear();
    return scratch;
  }
  bool Deserialize(std::string_view bytes, M& message) const {
    return message.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()));
  }
};

}  // namespace tailrace::processor
