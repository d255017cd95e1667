#include "compile/derived_nodes.h"

#include <algorithm>

#include "tailrace/pipeline/timestamps.h"
#include "text/lexicon.h"
#include "text/unicode.h"

namespace tailrace::pipeline::compile {

void AppendingNode::Begin(const EventRecord& record) {
  const Event event = record.value->event;
  slots_.assign(event.begin(), event.end());
  slots_.emplace_back();
}

void AppendingNode::Append(const EventRecord& record, const FieldValue& value) {
  slots_.back() = value;
  EventRow row = *record.value;
  row.event = slots_;
  Forward({record.key, &row, record.timestamp_ms, record.headers});
}

SetNode::SetNode(Options options) : options_(std::move(options)) {
  switch (options_.type) {
    case FieldType::kText: fallback_ = FieldValue::Text(options_.text); break;
    case FieldType::kInt: fallback_ = FieldValue::Int(options_.integer); break;
    case FieldType::kDouble: fallback_ = FieldValue::Double(options_.number); break;
    case FieldType::kBool: fallback_ = FieldValue::Bool(options_.integer != 0); break;
    case FieldType::kNull:
    case FieldType::kTextList: break;
  }
}

FieldValue SetNode::Converted(const FieldValue& value) {
  if (options_.convert == SetStep::Convert::kNone || value.is_null()) return value;
  buffer_.clear();
  switch (options_.convert) {
    case SetStep::Convert::kNone: break;
    case SetStep::Convert::kLower: text::AppendLower(buffer_, value.text()); break;
    case SetStep::Convert::kUpper: text::AppendUpper(buffer_, value.text()); break;
    case SetStep::Convert::kDate: {
      constexpr size_t kDateBytes = 10;  // YYYY-MM-DD
      AppendTimestamp(buffer_, value.integer());
      buffer_.resize(kDateBytes);
      break;
    }
  }
  return FieldValue::Text(buffer_);
}

void SetNode::Process(const EventRecord& record) {
  const Event event = record.value->event;
  FieldValue value = event[options_.from];
  if (value.is_null()) value = event[options_.otherwise];
  if (value.is_null()) value = fallback_;
  Begin(record);
  Append(record, Converted(value));
}

void ChangeNode::Process(const EventRecord& record) {
  const FieldValue from = record.value->event[from_];
  const FieldValue to = record.value->event[to_];
  FieldValue change;
  if (!from.is_null() && !to.is_null() && from.AsDouble() != 0) {
    change = FieldValue::Double((to.AsDouble() - from.AsDouble()) / from.AsDouble());
  }
  Begin(record);
  Append(record, change);
}

void WordsNode::Process(const EventRecord& record) {
  const FieldValue text = record.value->event[from_];
  if (text.is_null()) return;
  Begin(record);
  reader_.Start(text.text());
  std::string_view word;
  while (reader_.Next(word)) {
    if (text::CountChars(word) <= longer_than_ || stop_words_->Contains(word)) continue;
    Append(record, FieldValue::Text(word));
  }
}

void TickersNode::Process(const EventRecord& record) {
  const FieldValue text = record.value->event[from_];
  if (text.is_null()) return;
  Begin(record);
  for (const std::string_view ticker : reader_.Read(text.text())) Append(record, FieldValue::Text(ticker));
}

GroupNode::GroupNode(std::vector<size_t> from, const std::vector<std::pair<std::string, std::string>>& members) : from_(std::move(from)) {
  for (const auto& [group, member] : members) {
    auto place = std::find(groups_.begin(), groups_.end(), group);
    if (place == groups_.end()) place = groups_.insert(place, group);
    std::string lower;
    text::AppendLower(lower, std::string_view(member));
    groups_of_[lower].push_back(static_cast<size_t>(place - groups_.begin()));
  }
  in_.resize(groups_.size());
}

void GroupNode::Process(const EventRecord& record) {
  std::fill(in_.begin(), in_.end(), false);
  bool any = false;
  for (const size_t slot : from_) {
    const FieldValue value = record.value->event[slot];
    if (value.is_null()) continue;
    buffer_.clear();
    text::AppendLower(buffer_, value.text());
    const auto found = groups_of_.find(buffer_);
    if (found == groups_of_.end()) continue;
    any = true;
    for (const size_t group : found->second) in_[group] = true;
  }
  if (!any) return;
  Begin(record);
  for (size_t group = 0; group < groups_.size(); ++group) {
    if (in_[group]) Append(record, FieldValue::Text(groups_[group]));
  }
}

void SentimentNode::Process(const EventRecord& record) {
  const FieldValue text = record.value->event[from_];
  Begin(record);
  Append(record, text.is_null() ? FieldValue() : FieldValue::Int(text::SentimentOf(text.text(), reader_)));
}

}  // namespace tailrace::pipeline::compile
