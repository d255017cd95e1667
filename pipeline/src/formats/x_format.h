// What the two X layouts share: both give the fields of a post, found by hand instead of by path.
#pragma once

#include <array>
#include <functional>
#include <memory>

#include "formats/single_event_reader.h"
#include "tailrace/pipeline/post.h"

namespace tailrace::pipeline::formats {

// Fills slots of post fields; skips the work for fields that nobody asked for.
class PostReader : public SingleEventReader {
 protected:
  PostReader(const std::vector<std::string>& names, const ReaderOptions& options);

  bool Wants(PostField field) const { return slot_of_[static_cast<size_t>(field)] >= 0; }
  bool WantsPlace() const;
  // The value of `object`'s member `key` becomes `field`; nothing happens when it is absent or not wanted.
  SkipReason Take(PostField field, simdjson::dom::object object, std::string_view key, Conversion conversion,
                  std::string_view& failed, std::string_view list_member = {});
  // Sets a wanted field to a text.
  void Put(PostField field, std::string_view text);
  // place_type is called place.type in a post; the rest has its own name.
  SkipReason TakePlace(simdjson::dom::object place, std::string_view& failed);
  bool IsNull(PostField field);

 private:
  std::array<int, kPostFieldCount> slot_of_;
};

// A format with the fields of a post and a reader of its own.
class XFormat : public Format {
 public:
  using Maker = std::unique_ptr<EventReader> (*)(const std::vector<std::string>&, const ReaderOptions&);
  XFormat(std::string_view name, std::string_view description, Maker maker)
      : name_(name), description_(description), maker_(maker) {}
  std::string_view name() const override { return name_; }
  std::string_view description() const override { return description_; }
  std::span<const FieldInfo> fields() const override { return PostFields(); }
  std::string_view default_timestamp() const override { return "created_at"; }
  std::unique_ptr<EventReader> NewReader(const std::vector<std::string>& names,
                                         const ReaderOptions& options) const override {
    return maker_(names, options);
  }

 private:
  std::string_view name_;
  std::string_view description_;
  Maker maker_;
};

}  // namespace tailrace::pipeline::formats

// Returns from the enclosing function when a step gave a reason to skip.
#define TAILRACE_SKIP_UNLESS_NONE(expression)                                          \
  if (const SkipReason skip_reason_ = (expression); skip_reason_ != SkipReason::kNone) \
  return skip_reason_
