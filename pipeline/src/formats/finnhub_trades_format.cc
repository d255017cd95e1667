#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "formats/builtin.h"
#include "formats/json_document.h"
#include "formats/path_format.h"
#include "tailrace/base/check.h"

namespace tailrace::pipeline::formats {
namespace {

namespace dom = simdjson::dom;

// Where the fields of a trade are in an element of a frame's data. The rest is known otherwise or not at all.
struct Member {
  std::string_view field;
  std::string_view key;
  Conversion conversion = Conversion::kText;
  Bound bound = Bound::kNone;
};
constexpr auto kMembers = std::to_array<Member>({
    {"symbol", "s"},
    {"price", "p", Conversion::kDouble, Bound::kPositive},
    {"volume", "v", Conversion::kDouble, Bound::kNotNegative},
    {"ts", "t", Conversion::kTimestamp},
    {"conditions", "c", Conversion::kTextList},
});

// {"type":"trade","data":[{"s":"AAPL","p":122.1,"t":1615909802020,"v":1,"c":["1"]}, ...]}: one event per element. Every
// element stands for itself: a broken one is skipped for its reason, and the others are read.
class FinnhubTradesReader final : public EventReader {
 public:
  FinnhubTradesReader(const std::vector<std::string>& names, const ReaderOptions& options)
      : names_(names), timestamp_max_ms_(options.timestamp_max_ms), slots_(names.size()) {
    for (size_t slot = 0; slot < names_.size(); ++slot) {
      const FieldInfo* info = TradeFormat().FindField(names_[slot]);
      TAILRACE_CHECK(info != nullptr, "unknown field " + names_[slot]);
      const bool asked = std::find(options.required.begin(), options.required.end(), names_[slot]) != options.required.end();
      if (asked || info->required) required_.push_back(slot);
      const auto member = std::find_if(kMembers.begin(), kMembers.end(), [&](const Member& m) { return m.field == names_[slot]; });
      if (member != kMembers.end()) members_.push_back({&*member, slot});
      if (names_[slot] == "type") type_slot_ = slot;
      if (names_[slot] == "seq") sequence_slot_ = slot;
    }
  }

  void Start(std::string_view bytes) override {
    bytes_ = bytes;
    started_ = false;
    at_ = size_ = 0;
  }

  bool Next(ParseResult& result) override {
    result = {};
    if (!std::exchange(started_, true)) {
      result.reason = Open(result.field);
      if (result.reason != SkipReason::kNone) return true;
    }
    if (at_ == size_) return false;
    ++at_;
    const dom::element element = **element_;
    ++*element_;
    result.reason = Fill(element, result.field);
    result.event = slots_;
    return true;
  }

  void SetTimestampMax(int64_t timestamp_max_ms) override { timestamp_max_ms_ = timestamp_max_ms; }

 private:
  // Finds the elements; a reason when the frame has none.
  SkipReason Open(std::string_view& field) {
    dom::element root;
    if (const SkipReason reason = document_.Parse(bytes_, root); reason != SkipReason::kNone) return reason;
    dom::object frame;
    if (root.get_object().get(frame) != simdjson::SUCCESS) return SkipReason::kNotAnObject;
    field = "type";
    bool repeated = false;
    const auto type = Find(frame, "type", &repeated);
    if (repeated) return SkipReason::kDuplicateKey;
    if (!type) return SkipReason::kMissingField;
    if (!type->is_string()) return SkipReason::kWrongType;
    if (type->get_string().value_unsafe() != "trade") {
      field = {};
      return SkipReason::kControlFrame;
    }
    field = "data";
    const auto data = Find(frame, "data", &repeated);
    if (repeated) return SkipReason::kDuplicateKey;
    if (!data) return SkipReason::kMissingField;
    dom::array elements;
    if (data->get_array().get(elements) != simdjson::SUCCESS) return SkipReason::kWrongType;
    field = {};
    size_ = elements.size();
    element_ = elements.begin();
    return size_ > 0 ? SkipReason::kNone : SkipReason::kControlFrame;
  }

  SkipReason Fill(dom::element element, std::string_view& field) {
    std::fill(slots_.begin(), slots_.end(), FieldValue());
    scratch_.Clear();
    dom::object trade;
    if (element.get_object().get(trade) != simdjson::SUCCESS) return SkipReason::kNotAnObject;
    for (const auto& [member, slot] : members_) {
      field = member->field;
      bool repeated = false;
      const auto found = Find(trade, member->key, &repeated);
      if (repeated) return SkipReason::kDuplicateKey;
      if (!found) continue;
      const SkipReason reason = Convert(*found, member->conversion, {}, timestamp_max_ms_, scratch_, slots_[slot]);
      if (reason != SkipReason::kNone) return reason;
      if (const SkipReason bound = CheckBound(slots_[slot], member->bound); bound != SkipReason::kNone) return bound;
    }
    if (type_slot_) slots_[*type_slot_] = FieldValue::Text("trade");
    if (sequence_slot_) slots_[*sequence_slot_] = FieldValue::Int(static_cast<int64_t>(at_));
    for (const size_t slot : required_) {
      if (!slots_[slot].is_null()) continue;
      field = names_[slot];
      return SkipReason::kMissingField;
    }
    field = {};
    return SkipReason::kNone;
  }

  const std::vector<std::string> names_;
  std::vector<size_t> required_;
  std::vector<std::pair<const Member*, size_t>> members_;  // the wanted ones, with their slots
  std::optional<size_t> type_slot_;
  std::optional<size_t> sequence_slot_;
  int64_t timestamp_max_ms_;
  JsonDocument document_;
  Scratch scratch_;
  std::vector<FieldValue> slots_;
  std::string_view bytes_;
  bool started_ = true;
  size_t at_ = 0;    // elements taken
  size_t size_ = 0;  // elements of the frame
  std::optional<dom::array::iterator> element_;  // the next one
};

class FinnhubTrades final : public Format {
 public:
  std::string_view name() const override { return "finnhub-trades"; }
  std::string_view description() const override { return "a WebSocket frame with any number of trades"; }
  std::span<const FieldInfo> fields() const override { return TradeFormat().fields(); }
  std::string_view default_timestamp() const override { return TradeFormat().default_timestamp(); }
  std::unique_ptr<EventReader> NewReader(const std::vector<std::string>& names, const ReaderOptions& options) const override {
    return std::make_unique<FinnhubTradesReader>(names, options);
  }
};

}  // namespace

const Format& FinnhubTradesFormat() {
  static const FinnhubTrades format;
  return format;
}

}  // namespace tailrace::pipeline::formats
