// Values as JSON text, by way of nlohmann::json. A header of its own, since that library costs every file that includes it
// about a second of compile time.
//
//   struct Order { std::string id; double total; };
//   NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(Order, id, total)
//   template <> struct tailrace::processor::DefaultSerde<Order> : tailrace::processor::JsonSerde<Order> {};
#pragma once

#include <exception>
#include <string>
#include <string_view>

#include "nlohmann/json.hpp"
#include "tailrace/processor/serde.h"

namespace tailrace::processor {

// T is nlohmann::json itself, or a type with to_json and from_json. Text that is no JSON, or not of this shape, is no T.
template <class T = nlohmann::json>
struct JsonSerde {
  std::string_view Serialize(const T& value, std::string& scratch) const {
    scratch = nlohmann::json(value).dump();
    return scratch;
  }
  bool Deserialize(std::string_view bytes, T& value) const {
    try {
      value = nlohmann::json::parse(bytes).template get<T>();
      return true;
    } catch (const std::exception&) {
      return false;
    }
  }
};

}  // namespace tailrace::processor
