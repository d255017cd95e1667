// What an aggregate step keeps per key and window: one compact binary state for all its fields, updated in place.
//
// docs/formats.md describes the bytes. Thread-safe: immutable after Make; the states belong to the caller.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "compile/predicate.h"
#include "tailrace/base/status.h"
#include "tailrace/pipeline/event.h"

namespace tailrace::pipeline::aggregates {

enum class AggregateKind : uint8_t { kCount, kCountIf, kSum, kMin, kMax, kAvg, kFirst, kLast, kDistinct, kWindows };
// How the values of several windows become one.
enum class MergeRule : uint8_t { kOwn, kAvg, kMin, kMax };

// One output field of the step, ready to run.
struct PlannedField {
  std::string name;
  AggregateKind kind = AggregateKind::kCount;
  FieldType type = FieldType::kNull;  // of the event's field
  size_t slot = 0;                    // its slot; unused by kCount, kCountIf and kWindows
  int64_t exact_max = 0;              // kDistinct
  compile::Predicate condition;       // kCountIf
  // kFirst and kLast: the slot of the number that orders the events, a null first; none: time, then offset.
  std::optional<size_t> by_slot;
  MergeRule merge = MergeRule::kOwn;  // kFirst and kLast of numbers
};

struct AggregateInput {
  Event event;
  int64_t timestamp_ms = 0;
  int64_t offset = 0;  // arrival order within the partition
  bool correction = false;  // of an event that was taken before: nothing counts, and sums take what they have grown by
};

class AggregatePlan {
 public:
  // REQUIRES: the fields passed the pipeline's check (names unique, types fit, at most kAggregateFieldsMax).
  explicit AggregatePlan(std::vector<PlannedField> fields);

  // False for bytes that this plan did not write: damaged, of another version, or of other fields.
  bool IsValid(std::string_view state) const;

  // The state before the first event.
  void Reset(std::string& state) const;

  // Takes one event into a valid state. Allocates only when the state outgrows the string's capacity.
  void Update(std::string& state, const AggregateInput& input) const;

  // The same without changing the size; false, with nothing changed, when the size would have to change.
  bool UpdateInPlace(char* state, const AggregateInput& input) const;

  // The state over the events of both. REQUIRES: valid states.
  std::string Merge(std::string_view a, std::string_view b) const;

  // {"posts":12,"active_users":7,"active_users_exact":true}. REQUIRES: a valid state.
  void AppendJson(std::string& out, std::string_view state) const;

  // A number to rank by; nullopt when there is no such field or it is not a number now.
  std::optional<double> Numeric(std::string_view state, std::string_view field) const;

  const std::vector<PlannedField>& fields() const { return fields_; }

 private:
  size_t VariableBytes(size_t field, const char* state) const;
  // Changes the fixed part of a field that has no variable part.
  void UpdateFixed(const PlannedField& field, char* fixed, const AggregateInput& input) const;
  void MergeFixed(const PlannedField& field, const char* a, const char* b, char* out) const;

  std::vector<PlannedField> fields_;
  std::vector<size_t> fixed_at_;  // per field: where its fixed part begins
  size_t fixed_bytes_ = 0;
  uint16_t fingerprint_ = 0;
};

}  // namespace tailrace::pipeline::aggregates
