// What user functions are made of: the same rules as Functions.java. They show order (aggregates concatenate), stay short,
// and make nulls where an operator asks for them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "case.h"

namespace tailrace::differential {

using Text = std::string;
using MaybeText = std::optional<std::string>;

// "~" for null.
Text Shown(const Text* value);
// FNV-1a, 32 bits.
uint32_t Hash(const Text& text);
uint32_t Hash(const Text* key, const Text* value);
// The text itself, or its hash when it is long.
Text Bounded(Text text);

// The functions that the arguments of an operator stand for; copied into the operator.
class Functions {
 public:
  explicit Functions(const Op& op);

  // True for about 1 of n.
  bool Chosen(const Text* key, const Text* value) const { return Hash(key, value) % n_ == 0; }
  MaybeText Mapped(const Text* key, const Text* value) const;
  MaybeText Selected(const Text* key, const Text* value) const;
  MaybeText Added(const Text* key, const Text* value, const Text* aggregate) const;
  MaybeText Removed(const Text* key, const Text* value, const Text* aggregate) const;
  MaybeText Joined(const Text* left, const Text* right) const;
  // How many results a flat mapping of this record has.
  uint32_t Count(const Text* key, const Text* value) const { return Hash(key, value) % (n_ + 1); }
  // True for about 1 of 8 when the operator makes nulls.
  bool MakesNull(const Text* key, const Text* value) const { return nulls_ && Hash(value, key) % 8 == 0; }
  // Throws for about 1 of `throws`.
  void MaybeThrow(const Text* key, const Text* value) const;

 private:
  uint32_t n_;
  Text tag_;
  bool nulls_;
  uint32_t throws_;  // 0: never
};

}  // namespace tailrace::differential
