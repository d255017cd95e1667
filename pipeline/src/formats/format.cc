#include "tailrace/pipeline/format.h"

#include <algorithm>
#include <array>

#include "formats/builtin.h"

namespace tailrace::pipeline {
namespace {

// A new format is one more line here.
std::span<const Format* const> AllFormats() {
  static const std::array all = {&formats::PostFormat(),     &formats::XV2Format(),   &formats::XV1Format(),
                                 &formats::DatasiftFormat(), &formats::TradeFormat(), &formats::FinnhubTradesFormat(),
                                 &formats::BarFormat(),      &formats::VisaFormat(),  &formats::NewsFormat()};
  return all;
}

}  // namespace

const FieldInfo* Format::FindField(std::string_view field_name) const {
  const std::span<const FieldInfo> all = fields();
  const auto found = std::find_if(all.begin(), all.end(), [&](const FieldInfo& info) { return info.name == field_name; });
  return found == all.end() ? nullptr : &*found;
}

const Format* FindFormat(std::string_view name) {
  for (const Format* format : AllFormats()) {
    if (format->name() == name) return format;
  }
  return nullptr;
}

std::vector<std::string_view> FormatNames() {
  std::vector<std::string_view> names;
  for (const Format* format : AllFormats()) names.push_back(format->name());
  return names;
}

}  // namespace tailrace::pipeline
