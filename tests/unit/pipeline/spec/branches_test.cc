#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tailrace/pipeline/load.h"

namespace tailrace::pipeline {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

constexpr std::string_view kGood = R"(application.id: app
parameters: {groups: [], more: [rt]}
source: {topic: posts, format: post}
steps:
  - set: {user: {field: author_name, or: author_id, default: nobody, convert: lower}, day: {field: created_at, convert: date}}
  - sentiment: {field: text, as: mood}
  - words: {field: text, languages: [en], stop_words: [the, $more]}
branches:
  - steps:
      - key: word
      - aggregate: {store: words, fields: {n: count}}
    sink: {topic: words}
  - steps:
      - group: {fields: [author_id, author_name], members: [$groups, "a:b"]}
      - tickers: {field: text, as: symbol}
      - set: {growth: {change: [retweet_count, favorite_count]}}
      - key: user
      - deduplicate: {id: id, max: [retweet_count], retention: 1d, store: seen}
      - window: {tumbling: 1h}
      - aggregate: {store: users, fields: {n: count, r: {sum: retweet_count}, mood: {avg: mood}, g: {max: growth}}}
    sinks: [{topic: a}, {topic: b}]
)";

std::string Problems(std::string_view text) {
  const auto spec = ParsePipeline(text, "p.yaml", {});
  EXPECT_FALSE(spec.ok());
  return spec.ok() ? "" : std::string(spec.status().message());
}

std::string With(std::string_view from, std::string_view to) {
  std::string text(kGood);
  const size_t at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return text.replace(at, from.size(), to);
}

TEST(BranchesTest, EachBranchIsAPipelineBehindTheCommonSteps) {
  const auto spec = ParsePipeline(kGood, "p.yaml", {});
  ASSERT_TRUE(spec.ok()) << spec.status();
  EXPECT_EQ(spec->steps.size(), 4u);
  ASSERT_EQ(spec->branches.size(), 2u);
  EXPECT_THAT(spec->StoreNames(), ElementsAre("words", "users"));
  EXPECT_EQ(spec->AllSinks().size(), 3u);
  EXPECT_EQ(spec->Find<AggregateStep>(), nullptr);
  const PipelineSpec only = spec->OnlyBranch(1);
  EXPECT_EQ(only.steps.size(), 11u);
  EXPECT_EQ(only.Find<AggregateStep>()->store, "users");
  EXPECT_EQ(only.sinks.size(), 2u);
  EXPECT_TRUE(only.branches.empty());
}

TEST(BranchesTest, StepsHaveTheirArguments) {
  const auto spec = ParsePipeline(kGood, "p.yaml", {{"groups", "press:x, press:y"}, {"more", "a,b"}});
  ASSERT_TRUE(spec.ok()) << spec.status();
  const auto& user = std::get<SetStep>(spec->steps[0]);
  EXPECT_EQ(user.otherwise->name, "author_id");
  EXPECT_EQ(user.fallback->text, "nobody");
  EXPECT_EQ(user.convert, SetStep::Convert::kLower);
  EXPECT_EQ(std::get<SetStep>(spec->steps[1]).convert, SetStep::Convert::kDate);
  const auto& words = std::get<WordsStep>(spec->steps[3]);
  EXPECT_EQ(words.target.name, "word");
  EXPECT_EQ(words.longer_than, 3);
  EXPECT_THAT(words.languages, ElementsAre("en"));
  EXPECT_THAT(words.stop_words, ElementsAre("the", "a", "b"));
  const auto& group = std::get<GroupStep>(spec->branches[1].steps[0]);
  EXPECT_THAT(group.members, ElementsAre(std::pair("press", "x"), std::pair("press", "y"), std::pair("a", "b")));
  const auto& deduplicate = std::get<DeduplicateStep>(spec->branches[1].steps[4]);
  EXPECT_EQ(deduplicate.retention_ms, 86'400'000);
}

struct Wrong {
  const char* from;
  const char* to;
  const char* message;
};

TEST(BranchesTest, EveryProblemNamesItsPlaceAndTheNextStep) {
  const std::vector<Wrong> cases = {
      {"field: author_name, or:", "field: author_nme, or:", "unknown field 'author_nme'; did you mean 'author_name'?"},
      {"or: author_id", "or: favorite_count", "p.yaml:5:42: 'author_name' holds text and 'favorite_count' integer"},
      {"field: created_at, convert: date", "field: text, convert: date", "convert: date needs a timestamp; 'text' holds text"},
      {"convert: lower", "convert: lowr", "unknown conversion 'lowr'; did you mean 'lower'?"},
      {"field: created_at, convert: date", "field: created_at, convert: lower", "only texts have a case; 'created_at' holds integer"},
      {"sentiment: {field: text", "sentiment: {field: created_at", "sentiment needs a text; 'created_at' holds integer"},
      {"languages: [en]", "languages: [xx]", "unknown language of stop-words 'xx'"},
      {"languages: [en]", "longer_than: -1", "longer_than must be an integer from 0 to 200"},
      {"\"a:b\"", "\"ab\"", "p.yaml:14:70: 'ab' is no GROUP:MEMBER such as press:reporter_7"},
      {"change: [retweet_count, favorite_count]", "change: [retweet_count]", "change takes two fields"},
      {"change: [retweet_count, favorite_count]", "change: [retweet_count, text]", "change needs numbers; 'text' holds text"},
      {"retention: 1d, store: seen", "store: seen", "deduplicate needs 'retention'"},
      {"retention: 1d, store: seen", "retention: 0ms, store: seen", "retention must be above 0ms"},
      {"store: seen", "store: users", "a second store called 'users'"},
      {"{store: words,", "{store: users,", "a second store called 'users'"},
      {"max: [retweet_count]", "max: [text]", "max needs numbers; 'text' holds text"},
      {"id: id,", "id: hashtags,", "deduplicate needs an id that is a text or an integer; 'hashtags' holds list of texts"},
      {"r: {sum: retweet_count}", "r: {max: retweet_count}", "'r': of a field under deduplicate's max only a sum can be kept"},
      {"      - key: user\n", "", "deduplicate with max needs a key step before it"},
      {"      - window: {tumbling: 1h}\n", "      - filter: {field: lang, equals: en}\n", "only window and aggregate may follow deduplicate with max"},
      {"    sinks: [{topic: a}, {topic: b}]\n", "sink: {topic: x}\n", "a pipeline with branches has its sinks in them"},
      {"branches:\n", "  - key: lang\n  - aggregate: {store: s, fields: {n: count}}\nbranches:\n", "an aggregate before branches"},
      {"      - aggregate: {store: words, fields: {n: count}}\n    sink: {topic: words}\n", "", "p.yaml:9:5: the branch has no effect"},
      {"branches:\n", "branches: []\nmore:\n", "branches must be a list of maps"},
      {"      - key: word\n", "      - key: wrd\n", "unknown field 'wrd'; did you mean 'word'?"},
      // What one branch gives the other does not see.
      {"      - key: word\n", "      - key: symbol\n", "unknown field 'symbol'"},
      {"    sink: {topic: words}\n", "    snk: {topic: words}\n", "unknown key of a branch 'snk'; did you mean 'sink'?"},
  };
  for (const Wrong& wrong : cases) EXPECT_THAT(Problems(With(wrong.from, wrong.to)), HasSubstr(wrong.message)) << wrong.to;
}

}  // namespace
}  // namespace tailrace::pipeline
