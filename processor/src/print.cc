#include <charconv>
#include <cmath>
#include <ostream>
#include <string>

#include "tailrace/processor/detail/stateless_nodes.h"
#include "tailrace/processor/printed.h"

namespace tailrace::processor::detail {

void PrintLine(std::ostream& out, const std::string& label, const std::string& text) {
  out << '[' + label + "]: " + text + '\n' << std::flush;
}

std::string RealText(double value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value > 0 ? "Infinity" : "-Infinity";
  char buffer[40];
  const double size = std::abs(value);
  const bool plain = size == 0 || (size >= 1e-3 && size < 1e7);
  const auto end = std::to_chars(buffer, buffer + sizeof(buffer), value, plain ? std::chars_format::fixed : std::chars_format::scientific);
  std::string text(buffer, end.ptr);
  if (plain) return text.find('.') == std::string::npos ? text + ".0" : text;
  // 1e+10 -> 1.0E10, 2.5e-07 -> 2.5E-7
  const size_t e = text.find('e');
  std::string digits = text.substr(0, e);
  if (digits.find('.') == std::string::npos) digits += ".0";
  return digits + "E" + std::to_string(std::stoi(text.substr(e + 1)));
}

}  // namespace tailrace::processor::detail
