#include "spec/check.h"

#include <algorithm>
#include <string>

#include "spec/field_scope.h"
#include "spec/step_fields.h"
#include "spec/step_order.h"
#include "tailrace/pipeline/format.h"

namespace tailrace::pipeline::spec {
namespace {

using AggregateKind = AggregateFieldSpec::Kind;

// Names of topics, stores and applications become names of Kafka topics.
void CheckName(std::string_view name, std::string_view what, Location at, Problems& problems) {
  constexpr size_t kNameMax = 200;  // Kafka's 249, less the internal topics' prefixes and suffixes.
  const bool legal = !name.empty() && name.size() <= kNameMax && name != "." && name != ".." &&
                     std::all_of(name.begin(), name.end(), [](char c) {
                       return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '-';
                     });
  if (legal || name.empty()) return;  // An empty one was reported as missing.
  problems.Add(at, std::string(what) + " '" + std::string(name) + "' is not a name that Kafka takes: letters, digits, '.', '_' and '-', at most " +
                       std::to_string(kNameMax));
}

class Checker {
 public:
  Checker(const PipelineSpec& pipeline, Problems& problems) : pipeline_(pipeline), problems_(problems), scope_(pipeline.sources) {}

  void Run(bool all_steps_read) {
    CheckName(pipeline_.application_id, "application.id", {1, 1}, problems_);
    for (const SourceSpec& source : pipeline_.sources) CheckSource(source);
    for (const SinkSpec& sink : pipeline_.AllSinks()) CheckName(sink.topic, "topic", sink.at, problems_);
    if (known_formats_) {
      CheckSteps(pipeline_.steps);
      const FieldScope common = scope_;
      for (const BranchSpec& branch : pipeline_.branches) {
        scope_ = common;
        CheckSteps(branch.steps);
      }
    }
    for (const TableSpec& table : pipeline_.tables) CheckPipeline(pipeline_.TablePipeline(table), all_steps_read, problems_);
    if (all_steps_read) CheckOrder(pipeline_, problems_);
  }

 private:
  void CheckSteps(const std::vector<Step>& steps) {
    for (const Step& step : steps) {
      const size_t before = problems_.count();
      std::visit([this](const auto& s) { Check(s); }, step);
      const FieldName* given = GivenField(step);
      if (given == nullptr || given->name.empty()) continue;
      // After a problem the type of what the step gives is unknown; text is taken by most.
      scope_.Set(given->name, problems_.count() == before ? TypeOfGiven(step, scope_) : ScopedField{.type = FieldType::kText});
    }
  }

  void CheckSource(const SourceSpec& source) {
    CheckName(source.topic, "topic", source.at, problems_);
    if (source.key) Check(*source.key);
    const Format* format = FindFormat(source.format);
    if (format == nullptr) {
      known_formats_ = false;
      return;  // The loader has reported it, with its place.
    }
    if (source.processing_time != pipeline_.sources[0].processing_time) {
      problems_.Add(source.timestamp.at, "either all sources have 'timestamp: processing' or none: two kinds of time cannot share windows");
    }
    if (source.processing_time) return;
    const FieldInfo* timestamp = format->FindField(source.timestamp.name);
    if (timestamp == nullptr) {
      problems_.AddUnknown(source.timestamp.at, "field of format " + source.format, source.timestamp.name, scope_.Names());
    } else if (!timestamp->is_timestamp) {
      problems_.Add(source.timestamp.at, "field '" + source.timestamp.name + "' holds " + std::string(FieldTypeName(timestamp->type)) +
                                             ", not a timestamp; the format's own is '" + std::string(format->default_timestamp()) + "'");
    }
  }

  // Null after a report. An empty name was reported by the reader.
  const ScopedField* CheckField(const FieldName& field) {
    if (field.name.empty()) return nullptr;
    const ScopedField* found = scope_.Find(field.name);
    if (found == nullptr) problems_.AddUnknown(field.at, "field", field.name, scope_.Names());
    return found;
  }

  void CheckCondition(const Condition& condition) {
    for (const Condition& child : condition.children) CheckCondition(child);
    switch (condition.kind) {
      case Condition::Kind::kAll:
      case Condition::Kind::kAny:
      case Condition::Kind::kNot: return;
      default: break;
    }
    const ScopedField* field = CheckField(condition.field);
    if (field == nullptr || condition.kind == Condition::Kind::kExists) return;
    if (condition.kind == Condition::Kind::kPrefix && field->type != FieldType::kText) {
      problems_.Add(condition.at, "prefix needs a text field; '" + condition.field.name + "' holds " + std::string(FieldTypeName(field->type)));
      return;
    }
    const bool ordered = condition.kind != Condition::Kind::kIn && condition.kind != Condition::Kind::kPrefix;
    if (ordered && (field->type == FieldType::kBool || field->type == FieldType::kTextList)) {
      problems_.Add(condition.at, "'" + condition.field.name + "' holds " + std::string(FieldTypeName(field->type)) + ", which has no order");
      return;
    }
    for (const Literal& value : condition.values) {
      if (ReadLiteral(value, *field)) continue;
      problems_.Add(value.at, "'" + value.text + "' cannot equal field '" + condition.field.name + "', which holds " +
                                  std::string(field->is_timestamp ? "a timestamp" : FieldTypeName(field->type)));
    }
  }

  void Check(const FilterStep& step) { CheckCondition(step.condition); }

  void CheckNumber(const FieldName& name, std::string_view what) {
    const ScopedField* field = CheckField(name);
    if (field == nullptr || field->type == FieldType::kInt || field->type == FieldType::kDouble) return;
    problems_.Add(name.at, std::string(what) + " needs numbers; '" + name.name + "' holds " + std::string(FieldTypeName(field->type)));
  }

  void Check(const SetStep& step) {
    const ScopedField* from = CheckField(step.from);
    if (from == nullptr) return;
    const ScopedField* other = step.otherwise ? CheckField(*step.otherwise) : from;
    if (other != nullptr && other->type != from->type) {
      problems_.Add(step.otherwise->at, "'" + step.from.name + "' holds " + std::string(FieldTypeName(from->type)) + " and '" +
                                            step.otherwise->name + "' " + std::string(FieldTypeName(other->type)));
    }
    if (from->type == FieldType::kTextList && step.fallback) {
      problems_.Add(step.fallback->at, "a list of texts takes no default");
    } else if (step.fallback && !ReadLiteral(*step.fallback, *from)) {
      problems_.Add(step.fallback->at, "default '" + step.fallback->text + "' does not fit field '" + step.from.name + "', which holds " +
                                           std::string(FieldTypeName(from->type)));
    }
    using Convert = SetStep::Convert;
    if (step.convert == Convert::kDate && !from->is_timestamp) {
      problems_.Add(step.from.at, "convert: date needs a timestamp; '" + step.from.name + "' holds " + std::string(FieldTypeName(from->type)));
    } else if ((step.convert == Convert::kLower || step.convert == Convert::kUpper) && from->type != FieldType::kText) {
      problems_.Add(step.from.at, "only texts have a case; '" + step.from.name + "' holds " + std::string(FieldTypeName(from->type)));
    }
  }

  // Fields that a step reads must be of one of the types that `fits` knows.
  void CheckTypes(const std::vector<FieldName>& fields, std::string_view step, std::string_view needs, bool (*fits)(FieldType)) {
    for (const FieldName& field : fields) {
      const ScopedField* found = CheckField(field);
      if (found == nullptr || fits(found->type)) continue;
      problems_.Add(field.at, std::string(step) + " needs " + std::string(needs) + "; '" + field.name + "' holds " +
                                  std::string(FieldTypeName(found->type)));
    }
  }
  static bool IsText(FieldType type) { return type == FieldType::kText; }
  static bool IsNumber(FieldType type) { return type == FieldType::kInt || type == FieldType::kDouble; }

  void Check(const WordsStep& step) { CheckTypes(step.from, "words", "a text", IsText); }
  void Check(const TickersStep& step) { CheckTypes(step.from, "tickers", "a text", IsText); }
  void Check(const GroupStep& step) { CheckTypes(step.from, "group", "texts", IsText); }
  void Check(const SentimentStep& step) { CheckTypes(step.from, "sentiment", "a text", IsText); }
  void Check(const ChangeStep& step) { CheckTypes(step.from, "change", "numbers", IsNumber); }
  void Check(const DeduplicateStep& step) {
    CheckName(step.store, "store", step.at, problems_);
    CheckTypes({step.id}, "deduplicate", "an id that is a text or an integer",
               [](FieldType type) { return type == FieldType::kText || type == FieldType::kInt; });
    CheckTypes(step.max, "max", "numbers", IsNumber);
  }

  void Check(const KeyStep& step) {
    for (const FieldName& name : step.fields) {
      const ScopedField* field = CheckField(name);
      if (field == nullptr) continue;
      if (field->type == FieldType::kTextList || field->type == FieldType::kDouble) {
        problems_.Add(name.at, "'" + name.name + "' holds " + std::string(FieldTypeName(field->type)) + " and cannot be a key");
      }
    }
  }

  void Check(const WindowStep&) {}
  void Check(const JoinStep& step) { CheckName(step.store, "store", step.at, problems_); }

  void Check(const AggregateStep& step) {
    CheckName(step.store, "store", step.at, problems_);
    for (const AggregateFieldSpec& field : step.fields) {
      if (field.kind == AggregateKind::kCount || field.kind == AggregateKind::kWindows) continue;
      CheckNumber(field.by, "by");
      if (field.kind == AggregateKind::kCountIf) {
        CheckCondition(field.condition);
        continue;
      }
      const ScopedField* found = CheckField(field.field);
      if (found == nullptr || field.kind == AggregateKind::kDistinct) continue;
      const bool number = found->type == FieldType::kInt || found->type == FieldType::kDouble;
      const bool any_single = found->type != FieldType::kTextList;
      const bool takes_any = field.merge == AggregateFieldSpec::Merge::kOwn &&
                             (field.kind == AggregateKind::kFirst || field.kind == AggregateKind::kLast);
      if (takes_any ? any_single : number) continue;
      problems_.Add(field.field.at, "the aggregate of '" + field.name + "' needs " + (takes_any ? "a single value" : "numbers") + "; '" +
                                        field.field.name + "' holds " + std::string(FieldTypeName(found->type)));
    }
  }

  const PipelineSpec& pipeline_;
  Problems& problems_;
  FieldScope scope_;
  bool known_formats_ = true;
};

}  // namespace

void CheckPipeline(const PipelineSpec& pipeline, bool all_steps_read, Problems& problems) {
  Checker(pipeline, problems).Run(all_steps_read);
}

}  // namespace tailrace::pipeline::spec
