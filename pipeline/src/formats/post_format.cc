#include "formats/builtin.h"
#include "formats/path_format.h"
#include "tailrace/pipeline/canonical.h"
#include "tailrace/pipeline/post.h"

namespace tailrace::pipeline {
namespace {

using formats::IntField;
using formats::PathField;
using formats::TextField;
using formats::TextListField;
using formats::TimestampField;

// In the order of PostField.
std::span<const PathField> PostPaths() {
  static const std::array<PathField, kPostFieldCount> fields = {
      TextField("id"),
      TextField("author_id"),
      TextField("author_name"),
      TimestampField("created_at"),
      TextField("text"),
      TextField("lang"),
      TextField("place.id"),
      TextField("place.name"),
      TextField("place.full_name"),
      TextField("place.type"),
      TextField("place.country_code"),
      TextField("kind"),
      TextField("ref_id"),
      IntField("retweet_count"),
      IntField("favorite_count"),
      TextListField("hashtags"),
      TextField("source"),
      TimestampField("received_at"),
  };
  return fields;
}

}  // namespace

std::span<const FieldInfo> PostFields() { return formats::PostFormat().fields(); }

std::vector<std::string> PostFieldNames() {
  std::vector<std::string> names;
  for (const FieldInfo& info : PostFields()) names.emplace_back(info.name);
  return names;
}

void AppendPostJson(std::string& out, Event event, int64_t received_at_ms) {
  static const CanonicalWriter writer = *CanonicalWriter::For(formats::PostFormat());
  writer.Append(out, event, received_at_ms);
}

namespace formats {

const Format& PostFormat() {
  static const PathFormat format("post", "the canonical event of social media, one JSON object", "created_at", PostPaths());
  return format;
}

}  // namespace formats
}  // namespace tailrace::pipeline
