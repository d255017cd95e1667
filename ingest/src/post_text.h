// The text of a made-up post: words of a language, a topic, a mention, now and then a link or a line break.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "alias_table.h"
#include "tailrace/base/random.h"

namespace tailrace::ingest {

// Not thread-safe.
class PostText {
 public:
  PostText();

  struct Context {
    std::string_view lang;
    int64_t time_ms = 0;
    std::string_view prefix;  // "RT @name: ", "@name " or ""
  };
  // Writes at most limits of a post (1 KiB) of valid UTF-8 to `text`, and the topics in it to `hashtags`.
  void Write(base::Random& random, const Context& context, std::string& text, std::vector<std::string_view>& hashtags);

 private:
  const AliasTable topics_;
};

}  // namespace tailrace::ingest
