// Lists of words as they stand in the sources: separated by spaces and line ends.
#pragma once

#include <algorithm>
#include <string_view>

namespace tailrace::pipeline::text {

template <class F>
void ForEachWord(std::string_view list, F use) {
  constexpr std::string_view kSeparators = " \n";
  for (;;) {
    list.remove_prefix(std::min(list.find_first_not_of(kSeparators), list.size()));
    if (list.empty()) return;
    const std::string_view word = list.substr(0, list.find_first_of(kSeparators));
    use(word);
    list.remove_prefix(word.size());
  }
}

}  // namespace tailrace::pipeline::text
