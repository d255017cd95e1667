#include "tailrace/pipeline/letter_case.h"

#include <utility>

#include "text/unicode.h"

namespace tailrace::pipeline {
namespace {

std::string Composed(std::string text) {
  text::Composer().Compose(text);
  return text;
}

}  // namespace

std::string LowerCase(std::string_view utf8) {
  std::string lower;
  text::AppendLower(lower, utf8);
  return Composed(std::move(lower));
}

std::string UpperCase(std::string_view utf8) {
  std::string upper;
  text::AppendUpper(upper, utf8);
  return Composed(std::move(upper));
}

}  // namespace tailrace::pipeline
