// "Did you mean": the candidate nearest to a misspelt name.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace tailrace::base {

// Insertions, deletions, replacements and swaps of neighbours that turn `a` into `b`.
size_t EditDistance(std::string_view a, std::string_view b);

// The nearest candidate, or "" when none is near enough to be a misspelling (a third of the name's length).
std::string Nearest(std::string_view name, std::span<const std::string_view> candidates);

// "; did you mean 'state.dir'?" or "" when nothing is near: ready to be appended to a message.
std::string DidYouMean(std::string_view name, std::span<const std::string_view> candidates);

}  // namespace tailrace::base
