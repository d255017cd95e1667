#include "common/application_token.h"

#include "tailrace/processor/application_id.h"

namespace tailrace::grpc_api {
namespace {

// No character of base64url.
constexpr char kSeparator = '.';

std::string Suffix(std::string_view application_id) {
  const int number = processor::SplitApplicationId(application_id).number;
  return number == 0 ? std::string() : kSeparator + std::to_string(number);
}

}  // namespace

std::string TokenOf(std::string_view application_id, std::string token) {
  if (!token.empty()) token += Suffix(application_id);
  return token;
}

ApplicationToken ReadToken(std::string_view application_id, std::string_view text) {
  const size_t at = text.find(kSeparator);
  const std::string_view suffix = at == std::string_view::npos ? std::string_view() : text.substr(at);
  return {.token = std::string(text.substr(0, at)), .foreign = !text.empty() && suffix != Suffix(application_id)};
}

}  // namespace tailrace::grpc_api
