#include "functions.h"

#include <stdexcept>

#include "absl/strings/str_format.h"

namespace tailrace::differential {
namespace {

constexpr size_t kTextBytesMax = 32;

}  // namespace

Text Shown(const Text* value) { return value == nullptr ? "~" : *value; }

uint32_t Hash(const Text& text) {
  uint32_t hash = 0x811c9dc5;
  for (const char c : text) hash = (hash ^ static_cast<uint8_t>(c)) * 0x01000193;
  return hash;
}

uint32_t Hash(const Text* key, const Text* value) { return Hash(Shown(key) + "|" + Shown(value)); }

Text Bounded(Text text) { return text.size() <= kTextBytesMax ? std::move(text) : absl::StrFormat("#%08x", Hash(text)); }

Functions::Functions(const Op& op)
    : n_(op.Has("n") ? static_cast<uint32_t>(op.Number("n")) : 1), tag_(op.TextOr("tag", "")), nulls_(op.Flag("nulls")),
      throws_(op.Has("throws") ? static_cast<uint32_t>(op.Number("throws")) : 0) {}

void Functions::MaybeThrow(const Text* key, const Text* value) const {
  if (throws_ != 0 && Hash(value, key) % throws_ == 1) throw std::runtime_error("not this one");
}

MaybeText Functions::Mapped(const Text* key, const Text* value) const {
  MaybeThrow(key, value);
  if (MakesNull(key, value)) return std::nullopt;
  return Bounded(tag_ + "(" + Shown(value) + ")");
}

MaybeText Functions::Selected(const Text* key, const Text* value) const {
  MaybeThrow(key, value);
  if (MakesNull(key, value)) return std::nullopt;
  return "k" + std::to_string(Hash(key, value) % n_);
}

MaybeText Functions::Added(const Text* key, const Text* value, const Text* aggregate) const {
  MaybeThrow(key, value);
  if (MakesNull(key, value)) return std::nullopt;
  return Bounded(Shown(aggregate) + "," + Shown(value));
}

MaybeText Functions::Removed(const Text* key, const Text* value, const Text* aggregate) const {
  if (MakesNull(key, value)) return std::nullopt;
  return Bounded(Shown(aggregate) + "-" + Shown(value));
}

MaybeText Functions::Joined(const Text* left, const Text* right) const {
  if (MakesNull(left, right)) return std::nullopt;
  return Bounded(Shown(left) + "+" + Shown(right));
}

}  // namespace tailrace::differential
