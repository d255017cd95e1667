// Canonical records: the one form in which events of every layout stand in topics, as post, trade, bar, visa and news.
//
//   const auto writer = CanonicalWriter::For(*FindFormat("finnhub-trades"));           // its canonical format is "trade"
//   auto reader = FindFormat("finnhub-trades")->NewReader(writer->fields(), writer->reader_options());
//   reader->Start(frame);
//   while (reader->Next(result))
//     if (result.reason == SkipReason::kNone) writer->Append(json, result.event, now_ms);
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tailrace/pipeline/event.h"
#include "tailrace/pipeline/format.h"

namespace tailrace::pipeline {

// Thread-safe: immutable. Refers to formats, which live as long as the process.
class CanonicalWriter {
 public:
  // Nullopt when the layout lacks fields of every canonical format.
  static std::optional<CanonicalWriter> For(const Format& layout);

  const Format& format() const { return *format_; }
  // What to read from the layout, in slot order: all fields of the canonical format.
  const std::vector<std::string>& fields() const { return fields_; }
  // Without an event time there is no canonical record; visa applications have only the time of receipt.
  ReaderOptions reader_options() const;

  // Appends the event as one JSON object. Null fields are left out, and with all of its members an object. A missing
  // `received_at` (or a bar's `received`, in seconds) becomes `received_at_ms`, unless that is negative.
  // REQUIRES: the event was read with fields().
  void Append(std::string& out, Event event, int64_t received_at_ms) const;

  // The text that the record is keyed by: a post's place.full_name or else author_id, a trade's symbol, a bar's ticker, a
  // visa application's jobTitle; null when there is none, as for news. A view into the event.
  std::optional<std::string_view> Key(Event event) const;

  // The event's time for the record; `received_at_ms` for visa applications, whose dates are long past.
  int64_t TimestampMs(Event event, int64_t received_at_ms) const;

 private:
  explicit CanonicalWriter(const Format& format);

  const Format* format_;
  std::vector<std::string> fields_;
  std::vector<size_t> key_slots_;           // the first that is not null is the key
  std::optional<size_t> timestamp_slot_;    // none: the time of receipt
};

}  // namespace tailrace::pipeline
