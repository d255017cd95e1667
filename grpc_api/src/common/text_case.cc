#include "common/text_case.h"

#include "tailrace/pipeline/letter_case.h"

namespace tailrace::grpc_api {
namespace {

std::string_view Trimmed(std::string_view text) {
  const size_t first = text.find_first_not_of(" \t\r\n");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t\r\n") - first + 1);
}

}  // namespace

std::string LowerCase(std::string_view utf8) { return pipeline::LowerCase(Trimmed(utf8)); }
std::string UpperCase(std::string_view utf8) { return pipeline::UpperCase(Trimmed(utf8)); }

std::string UserName(std::string_view utf8) {
  std::string name = LowerCase(utf8);
  if (name.starts_with('@')) name.erase(0, 1);
  return name;
}

std::string TickerName(std::string_view utf8) {
  std::string name = UpperCase(utf8);
  if (name.starts_with('$')) name.erase(0, 1);
  return name;
}

}  // namespace tailrace::grpc_api
