// The operators that work a field out of others. Each appends one slot; some forward an event several times, or not at all.
#pragma once

#include <string>
#include <unordered_map>
#include <vector>

#include "compile/event_nodes.h"
#include "text/stop_words.h"
#include "text/tickers.h"
#include "text/word_reader.h"

namespace tailrace::pipeline::compile {

// Forwards events with one more slot.
class AppendingNode : public EventOperator {
 protected:
  // Takes over the event's slots. REQUIRED before Append.
  void Begin(const EventRecord& record);
  // Forwards the event with `value` behind its slots.
  void Append(const EventRecord& record, const FieldValue& value);

 private:
  std::vector<FieldValue> slots_;
};

// The value of a slot, else of another, else a fallback; then converted.
class SetNode final : public AppendingNode {
 public:
  struct Options {
    size_t from = 0;
    size_t otherwise = 0;  // `from` when there is none
    SetStep::Convert convert = SetStep::Convert::kNone;
    // The fallback; kNull: none.
    FieldType type = FieldType::kNull;
    std::string text;
    int64_t integer = 0;
    double number = 0;
  };
  explicit SetNode(Options options);
  void Process(const EventRecord& record) override;

 private:
  FieldValue Converted(const FieldValue& value);

  const Options options_;
  FieldValue fallback_;
  std::string buffer_;
};

// The relative change between two numbers.
class ChangeNode final : public AppendingNode {
 public:
  ChangeNode(size_t from, size_t to) : from_(from), to_(to) {}
  void Process(const EventRecord& record) override;

 private:
  const size_t from_;
  const size_t to_;
};

// One event per word that is long enough and no stop-word.
class WordsNode final : public AppendingNode {
 public:
  WordsNode(size_t from, int64_t longer_than, std::shared_ptr<const text::StopWords> stop_words)
      : from_(from), longer_than_(longer_than), stop_words_(std::move(stop_words)) {}
  void Process(const EventRecord& record) override;

 private:
  const size_t from_;
  const int64_t longer_than_;
  const std::shared_ptr<const text::StopWords> stop_words_;  // shared by all tasks
  text::WordReader reader_;
};

// One event per ticker that a text mentions.
class TickersNode final : public AppendingNode {
 public:
  explicit TickersNode(size_t from) : from_(from) {}
  void Process(const EventRecord& record) override;

 private:
  const size_t from_;
  text::TickerReader reader_;
};

// One event per group that a text of some slots belongs to, in the order in which the groups were first named.
class GroupNode final : public AppendingNode {
 public:
  // `members`: group and member; members are compared in lower case.
  GroupNode(std::vector<size_t> from, const std::vector<std::pair<std::string, std::string>>& members);
  void Process(const EventRecord& record) override;

 private:
  const std::vector<size_t> from_;
  std::vector<std::string> groups_;
  std::unordered_map<std::string, std::vector<size_t>> groups_of_;  // by member
  std::vector<bool> in_;  // per group: whether the event at hand belongs to it
  std::string buffer_;
};

// The sum of the weights of a text's words; null without a text.
class SentimentNode final : public AppendingNode {
 public:
  explicit SentimentNode(size_t from) : from_(from) {}
  void Process(const EventRecord& record) override;

 private:
  const size_t from_;
  text::WordReader reader_;
};

}  // namespace tailrace::pipeline::compile
