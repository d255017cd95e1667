#include "tailrace/processor/detail/typed_schema.h"

#include "nlohmann/json.hpp"

namespace tailrace::processor::detail {

std::string JsonString(std::string_view text) {
  return nlohmann::json(text).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

std::string JsonNumber(double number) { return std::isfinite(number) ? nlohmann::json(number).dump() : "null"; }

}  // namespace tailrace::processor::detail
