#include "formats/builtin.h"
#include "formats/path_format.h"
#include "tailrace/base/check.h"
#include "tailrace/pipeline/json_text.h"
#include "tailrace/pipeline/post.h"

namespace tailrace::pipeline {
namespace {

using formats::Conversion;
using formats::PathField;

PathField Text(std::string_view name) { return {.info = {.name = name}, .path = name}; }
PathField Integer(std::string_view name) {
  return {.info = {.name = name, .type = FieldType::kInt}, .path = name, .conversion = Conversion::kInt};
}
PathField Timestamp(std::string_view name) {
  return {.info = {.name = name, .type = FieldType::kInt, .is_timestamp = true}, .path = name, .conversion = Conversion::kTimestamp};
}

// In the order of PostField.
std::span<const PathField> PostPaths() {
  static const std::array<PathField, kPostFieldCount> fields = {
      Text("id"),
      Text("author_id"),
      Text("author_name"),
      Timestamp("created_at"),
      Text("text"),
      Text("lang"),
      Text("place.id"),
      Text("place.name"),
      Text("place.full_name"),
      Text("place.type"),
      Text("place.country_code"),
      Text("kind"),
      Text("ref_id"),
      Integer("retweet_count"),
      Integer("favorite_count"),
      PathField{.info = {.name = "hashtags", .type = FieldType::kTextList}, .path = "hashtags", .conversion = Conversion::kTextList},
      Text("source"),
      Timestamp("received_at"),
  };
  return fields;
}

// Writes the members of an object, with commas between those that are there.
class ObjectWriter {
 public:
  explicit ObjectWriter(std::string& out) : out_(out) { out_ += '{'; }
  void Close() { out_ += '}'; }
  std::string& Member(std::string_view key) {
    if (!first_) out_ += ',';
    first_ = false;
    out_ += '"';
    out_ += key;
    out_ += "\":";
    return out_;
  }
  void Value(std::string_view key, const FieldValue& value) {
    if (value.is_null()) return;
    std::string& out = Member(key);
    switch (value.type()) {
      case FieldType::kText: AppendJsonString(out, value.text()); break;
      case FieldType::kInt: AppendJsonInt(out, value.integer()); break;
      case FieldType::kDouble: AppendJsonDouble(out, value.number()); break;
      case FieldType::kBool: out += value.boolean() ? "true" : "false"; break;
      case FieldType::kTextList: List(value.list()); break;
      case FieldType::kNull: break;
    }
  }

 private:
  void List(std::span<const std::string_view> list) {
    out_ += '[';
    for (size_t i = 0; i < list.size(); ++i) {
      if (i > 0) out_ += ',';
      AppendJsonString(out_, list[i]);
    }
    out_ += ']';
  }
  std::string& out_;
  bool first_ = true;
};

}  // namespace

std::span<const FieldInfo> PostFields() { return formats::PostFormat().fields(); }

std::vector<std::string> PostFieldNames() {
  std::vector<std::string> names;
  for (const FieldInfo& info : PostFields()) names.emplace_back(info.name);
  return names;
}

void AppendPostJson(std::string& out, Event event, int64_t received_at_ms) {
  TAILRACE_CHECK(event.size() == static_cast<size_t>(kPostFieldCount), "the event was not read with PostFieldNames()");
  const auto field = [&](PostField f) -> const FieldValue& { return event[static_cast<size_t>(f)]; };
  ObjectWriter post(out);
  post.Value("id", field(PostField::kId));
  post.Value("author_id", field(PostField::kAuthorId));
  post.Value("author_name", field(PostField::kAuthorName));
  post.Value("created_at", field(PostField::kCreatedAt));
  post.Value("text", field(PostField::kText));
  post.Value("lang", field(PostField::kLang));
  bool has_place = false;
  for (int i = static_cast<int>(PostField::kPlaceId); i <= static_cast<int>(PostField::kPlaceCountryCode); ++i) {
    has_place = has_place || !event[static_cast<size_t>(i)].is_null();
  }
  if (has_place) {
    ObjectWriter place(post.Member("place"));
    place.Value("id", field(PostField::kPlaceId));
    place.Value("name", field(PostField::kPlaceName));
    place.Value("full_name", field(PostField::kPlaceFullName));
    place.Value("type", field(PostField::kPlaceType));
    place.Value("country_code", field(PostField::kPlaceCountryCode));
    place.Close();
  }
  post.Value("kind", field(PostField::kKind));
  post.Value("ref_id", field(PostField::kRefId));
  post.Value("retweet_count", field(PostField::kRetweetCount));
  post.Value("favorite_count", field(PostField::kFavoriteCount));
  post.Value("hashtags", field(PostField::kHashtags));
  post.Value("source", field(PostField::kSource));
  const FieldValue& received = field(PostField::kReceivedAt);
  if (received.is_null() && received_at_ms >= 0) {
    post.Value("received_at", FieldValue::Int(received_at_ms));
  } else {
    post.Value("received_at", received);
  }
  post.Close();
}

namespace formats {

const Format& PostFormat() {
  static const PathFormat format("post", "the canonical event of social media, one JSON object", "created_at", PostPaths());
  return format;
}

}  // namespace formats
}  // namespace tailrace::pipeline
