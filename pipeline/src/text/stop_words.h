// Words that say nothing about a text's topic, per language. The lists are the project's own and short on purpose.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

namespace tailrace::pipeline::text {

// "en", "fr", ... in the order of the lists.
std::span<const std::string_view> StopWordLanguages();

// Immutable after it is made, so thread-safe.
class StopWords {
 public:
  // REQUIRES: every language is one of StopWordLanguages(). `more` are taken in lower case.
  StopWords(const std::vector<std::string>& languages, const std::vector<std::string>& more);
  StopWords(const StopWords&) = delete;
  StopWords& operator=(const StopWords&) = delete;

  // `word` as WordReader gives it.
  bool Contains(std::string_view word) const { return words_.contains(word); }

 private:
  std::vector<std::string> more_;
  std::unordered_set<std::string_view> words_;  // into the lists and `more_`
};

}  // namespace tailrace::pipeline::text
