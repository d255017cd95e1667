#include "tailrace/pipeline/canonical.h"

#include <algorithm>
#include <array>

#include "formats/builtin.h"
#include "formats/path_format.h"
#include "tailrace/base/check.h"
#include "tailrace/base/json_text.h"
#include "tailrace/pipeline/timestamps.h"

namespace tailrace::pipeline {
namespace {

using formats::Conversion;
using formats::PathField;
using formats::PathFormat;

const std::array<const Format*, 5>& CanonicalFormats() {
  static const std::array<const Format*, 5> all = {&formats::PostFormat(), &formats::TradeFormat(), &formats::BarFormat(),
                                                   &formats::VisaFormat(), &formats::NewsFormat()};
  return all;
}

// All of them are tables of paths.
std::span<const PathField> PathsOf(const Format& format) { return static_cast<const PathFormat&>(format).paths(); }

std::vector<std::string_view> KeyFieldsOf(const Format& format) {
  if (&format == &formats::PostFormat()) return {"place.full_name", "author_id"};
  if (&format == &formats::TradeFormat()) return {"symbol"};
  if (&format == &formats::BarFormat()) return {"ticker"};
  if (&format == &formats::VisaFormat()) return {"jobTitle"};
  return {};
}

bool HasAllFieldsOf(const Format& layout, const Format& canonical) {
  return std::all_of(canonical.fields().begin(), canonical.fields().end(),
                     [&](const FieldInfo& info) { return layout.FindField(info.name) != nullptr; });
}

// Writes members whose names are paths; those with the same first part stand together and become one inner object.
class MemberWriter {
 public:
  explicit MemberWriter(std::string& out) : out_(out) { out_ += '{'; }

  std::string& Member(std::string_view path) {
    const size_t dot = path.find('.');
    const std::string_view outer = dot == std::string_view::npos ? std::string_view() : path.substr(0, dot);
    if (outer != open_) {
      if (!open_.empty()) out_ += '}';
      if (!outer.empty()) {
        Name(outer);
        out_ += '{';
      }
      open_ = outer;
    }
    Name(outer.empty() ? path : path.substr(dot + 1));
    return out_;
  }

  void Close() { out_ += open_.empty() ? "}" : "}}"; }

 private:
  void Name(std::string_view name) {
    if (out_.back() != '{') out_ += ',';
    out_ += '"';
    out_ += name;
    out_ += "\":";
  }

  std::string& out_;
  std::string_view open_;
};

void AppendValue(std::string& out, const FieldValue& value, Conversion conversion) {
  switch (value.type()) {
    case FieldType::kText: base::AppendJsonString(out, value.text()); return;
    case FieldType::kInt:
      if (conversion == Conversion::kDate) {
        constexpr size_t kDateSize = 10;
        out += '"';
        const size_t at = out.size();
        AppendTimestamp(out, value.integer());
        out.resize(at + kDateSize);
        out += '"';
      } else {
        base::AppendJsonInt(out, conversion == Conversion::kTimestampSeconds ? value.integer() / 1'000 : value.integer());
      }
      return;
    case FieldType::kDouble: base::AppendJsonDouble(out, value.number()); return;
    case FieldType::kBool: out += value.boolean() ? "true" : "false"; return;
    case FieldType::kTextList:
      out += '[';
      for (const std::string_view item : value.list()) {
        if (out.back() != '[') out += ',';
        base::AppendJsonString(out, item);
      }
      out += ']';
      return;
    case FieldType::kNull: break;
  }
  base::CheckFailed(__FILE__, __LINE__, "AppendValue", "null fields are left out");
}

// A null value where the event has none; the time of receipt where that stands for it.
FieldValue Received(const PathField& field, int64_t received_at_ms) {
  if (received_at_ms < 0) return {};
  if (field.path == "received_at") return FieldValue::Int(received_at_ms);
  if (field.path == "received") return FieldValue::Double(static_cast<double>(received_at_ms) / 1'000);
  return {};
}

}  // namespace

CanonicalWriter::CanonicalWriter(const Format& format) : format_(&format) {
  for (const FieldInfo& info : format.fields()) fields_.emplace_back(info.name);
  const auto slot_of = [&](std::string_view name) {
    const auto found = std::find(fields_.begin(), fields_.end(), name);
    TAILRACE_CHECK(found != fields_.end(), "a canonical format has the fields that its records are keyed by");
    return static_cast<size_t>(found - fields_.begin());
  };
  for (const std::string_view name : KeyFieldsOf(format)) key_slots_.push_back(slot_of(name));
  if (&format != &formats::VisaFormat()) timestamp_slot_ = slot_of(format.default_timestamp());
}

std::optional<CanonicalWriter> CanonicalWriter::For(const Format& layout) {
  for (const Format* canonical : CanonicalFormats()) {
    if (HasAllFieldsOf(layout, *canonical)) return CanonicalWriter(*canonical);
  }
  return std::nullopt;
}

ReaderOptions CanonicalWriter::reader_options() const {
  ReaderOptions options;
  if (timestamp_slot_) options.required.push_back(fields_[*timestamp_slot_]);
  return options;
}

void CanonicalWriter::Append(std::string& out, Event event, int64_t received_at_ms) const {
  const std::span<const PathField> paths = PathsOf(*format_);
  TAILRACE_CHECK(event.size() == paths.size(), "the event was not read with fields()");
  MemberWriter members(out);
  for (size_t i = 0; i < paths.size(); ++i) {
    const FieldValue value = event[i].is_null() ? Received(paths[i], received_at_ms) : event[i];
    if (!value.is_null()) AppendValue(members.Member(paths[i].path), value, paths[i].conversion);
  }
  members.Close();
}

std::optional<std::string_view> CanonicalWriter::Key(Event event) const {
  for (const size_t slot : key_slots_) {
    if (event[slot].type() == FieldType::kText) return event[slot].text();
  }
  return std::nullopt;
}

int64_t CanonicalWriter::TimestampMs(Event event, int64_t received_at_ms) const {
  return timestamp_slot_ && !event[*timestamp_slot_].is_null() ? event[*timestamp_slot_].integer() : received_at_ms;
}

}  // namespace tailrace::pipeline
