// A pipeline file after loading: plain values, parameters substituted, checked against the formats' fields.
//
// Names and texts are as in the file; locations point into it, for messages of later stages.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace tailrace::pipeline {

// Lines and columns from 1; 0 where there is none.
struct Location {
  int line = 0;
  int column = 0;
};

// The name of an event's field, as a format or a `set` step knows it.
struct FieldName {
  std::string name;
  Location at;
};

// A value to compare with; read as the type of the field it is compared to.
struct Literal {
  std::string text;
  Location at;
};

struct Condition {
  enum class Kind : uint8_t { kAll, kAny, kNot, kExists, kIn, kPrefix, kGreater, kGreaterOrEqual, kLess, kLessOrEqual };
  Kind kind = Kind::kAll;
  FieldName field;                 // unused by kAll, kAny, kNot
  std::vector<Literal> values;     // kIn and kPrefix: some; comparisons: one
  std::vector<Condition> children;  // kAll, kAny: any number; kNot: one
  Location at;
};

// The key is the texts of the fields, joined. An event without one of them has no key and is dropped.
struct KeyStep {
  std::vector<FieldName> fields;
  std::string separator = "|";
  Location at;
};

struct SourceSpec {
  std::string topic;
  std::string format;
  FieldName timestamp;  // unused with processing_time
  // An event's time is the wall clock's when it is processed.
  bool processing_time = false;
  // What the topic's records are partitioned by, when that is known. A key step that gives the same key needs no
  // repartition topic.
  std::optional<KeyStep> key;
  Location at;
};

// Keeps the events that match.
struct FilterStep {
  Condition condition;
};

// Gives an event a field: that of `from`, else that of `otherwise`, else `fallback`.
struct SetStep {
  enum class Convert : uint8_t { kNone, kLower, kUpper, kDate };
  FieldName target;
  FieldName from;
  std::optional<FieldName> otherwise = std::nullopt;
  std::optional<Literal> fallback = std::nullopt;
  // Texts in lower or upper case; the UTC date of a timestamp as YYYY-MM-DD.
  Convert convert = Convert::kNone;
};

// What the steps have in common that work a new field out of others.
struct DerivedField {
  std::vector<FieldName> from;
  FieldName target;
};

// One event per word of a text, with the word in a field.
struct WordsStep : DerivedField {
  int64_t longer_than = 0;             // code points
  std::vector<std::string> languages;  // whose stop-words are left out
  std::vector<std::string> stop_words;  // more of them
};

// One event per ticker that a text mentions ($AAPL), each once.
struct TickersStep : DerivedField {};

// One event per group that one of the fields' texts belongs to.
struct GroupStep : DerivedField {
  std::vector<std::pair<std::string, std::string>> members;  // group, member
};

// The sum of the weights of a text's words in the shipped lexicon.
struct SentimentStep : DerivedField {};

// (to - from) / from of two numbers; null without both or when `from` is 0.
struct ChangeStep : DerivedField {};

// Lets an event through once per id (and key). Of a redelivery only the growth of the `max` fields is taken.
struct DeduplicateStep {
  FieldName id;
  std::vector<FieldName> max;
  int64_t retention_ms = 0;
  std::string store;
  Location at;
};


struct WindowStep {
  enum class Emit : uint8_t { kUpdates, kClose };
  int64_t size_ms = 0;
  int64_t advance_ms = 0;  // equal to size_ms for tumbling windows
  int64_t grace_ms = 0;
  int64_t retention_ms = 0;
  Emit emit = Emit::kUpdates;
  Location at;
};

struct AggregateFieldSpec {
  enum class Kind : uint8_t { kCount, kCountIf, kSum, kMin, kMax, kAvg, kFirst, kLast, kDistinct, kWindows };
  // What the values of several windows become together; kOwn is what the aggregate does with events.
  enum class Merge : uint8_t { kOwn, kAvg, kMin, kMax };
  std::string name;
  Kind kind = Kind::kCount;
  FieldName field;      // unused by kCount, kCountIf and kWindows
  FieldName by;         // kFirst and kLast: what orders the events; empty: their time, then their offset
  Merge merge = Merge::kOwn;  // kFirst and kLast
  Condition condition;  // kCountIf
  int64_t exact_max = 0;  // kDistinct: values kept exactly before it becomes a sketch
  Location at;
};

struct AggregateStep {
  std::string store;
  std::vector<AggregateFieldSpec> fields;
  Location at;
};

// Ends a pipeline: each row of the aggregate with the row of a table that its key points to, kept up to date by changes of both.
struct JoinStep {
  std::string store;  // of the result: the fields of both
  std::string table;
  std::vector<FieldName> on;  // the last fields of the aggregate's key, whose texts make the table's key
  Location at;
};

// New kinds of steps are new alternatives; each has a reader in the step table of the loader.
using Step = std::variant<FilterStep, SetStep, KeyStep, WindowStep, AggregateStep, WordsStep, TickersStep, GroupStep, SentimentStep,
                          ChangeStep, DeduplicateStep, JoinStep>;

struct SinkSpec {
  std::string topic;
  Location at;
};

// One of several ways on behind the pipeline's steps.
struct BranchSpec {
  std::vector<Step> steps;
  std::vector<SinkSpec> sinks;
  Location at;
};

// Rows to join with: an aggregate of its own, with a source of its own.
struct TableSpec {
  std::string name;
  SourceSpec source;
  std::vector<Step> steps;
  Location at;
};

struct PipelineParameter {
  std::string name;
  std::string value;  // as it is used; lists with commas
  bool overridden = false;
};

struct PipelineSpec {
  std::string file;
  std::string application_id;
  std::string description;
  std::vector<PipelineParameter> parameters;
  std::vector<SourceSpec> sources;
  std::vector<Step> steps;
  std::vector<SinkSpec> sinks;
  std::vector<BranchSpec> branches;  // none: `steps` is all
  std::vector<TableSpec> tables;
  std::string dead_letter_topic;  // empty: bad input is counted only

  // The pipeline without branches that gives one of the results: the steps and sinks of its branch follow the common ones.
  PipelineSpec OnlyBranch(size_t branch) const;
  // A table as a pipeline that ends in its aggregate.
  PipelineSpec TablePipeline(const TableSpec& table) const;
  // Those of the pipeline and of its tables.
  std::vector<SourceSpec> AllSources() const;
  // The stores of all results, in the order of the file.
  std::vector<std::string> StoreNames() const;
  // Those of all branches.
  std::vector<SinkSpec> AllSinks() const;

  // The step of this kind, branches left out; null when there is none. At most one of each kind but filter and set.
  template <class S>
  const S* Find() const {
    for (const Step& step : steps) {
      if (const S* found = std::get_if<S>(&step)) return found;
    }
    return nullptr;
  }
};

}  // namespace tailrace::pipeline
