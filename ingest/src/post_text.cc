#include "post_text.h"

#include <utility>

#include "tailrace/base/check.h"
#include "tailrace/base/json_text.h"
#include "words.h"

namespace tailrace::ingest {
namespace {

constexpr int64_t kTopicPeriodMs = 3'600'000;
constexpr size_t kTextBytesMax = 1'024;
constexpr uint64_t kWordsLeast = 5;
constexpr uint64_t kWordsMore = 14;
constexpr size_t kHashtagsMax = 2;

}  // namespace

PostText::PostText() : topics_(AliasTable::Zipf(Topics().size())) {}

void PostText::Write(base::Random& random, const Context& context, std::string& text,
                     std::vector<std::string_view>& hashtags) {
  text = context.prefix;
  hashtags.clear();
  const auto words = WordsOf(context.lang);
  const uint64_t count = kWordsLeast + random.Below(kWordsMore);
  const std::string_view space = context.lang == "ja" ? "" : " ";
  for (uint64_t i = 0; i < count; ++i) {
    if (i > 0) text += space;
    text += words[random.Below(words.size())];
  }
  // One draw decides about all the trimmings, so that they stay independent of each other's order.
  const uint64_t extras = random.Below(100);
  text += extras < 20 ? "!" : extras < 30 ? "?" : ".";
  if (extras % 25 == 3) text += " \"¯\\_(ツ)_/¯\"\n😀";
  if (extras % 10 == 7) {
    text += " https://example.org/";
    base::AppendJsonInt(text, static_cast<int64_t>(random.Below(1'000'000)));
  }
  const size_t tags = extras % 5 == 0 ? kHashtagsMax : extras % 2;
  const auto period = static_cast<uint64_t>(context.time_ms / kTopicPeriodMs);
  for (size_t i = 0; i < tags; ++i) {
    const std::string_view topic = Topics()[(topics_.Draw(random) + period) % Topics().size()];
    if (i > 0 && topic == hashtags[0]) continue;
    hashtags.push_back(topic);
    text += " #";
    text += topic;
  }
  TAILRACE_CHECK(text.size() <= kTextBytesMax, "the words of a post fit its bound");
}

}  // namespace tailrace::ingest
