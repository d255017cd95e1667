#include "tailrace/pipeline/load.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tailrace::pipeline {
namespace {

using testing::HasSubstr;

constexpr std::string_view kGood = R"(application.id: app
parameters: {window: 5m, kinds: [retweet], city: Toronto}
source: {topic: posts, format: post}
steps:
  - filter: {field: place.type, equals: city}
  - set: {lang: {default: unknown}, town: place.name}
  - key: [place.full_name, lang]
  - window: {hopping: {size: $window, advance: 1m}, grace: 10s}
  - aggregate:
      store: s
      fields:
        n: count
        r: {count_if: {field: kind, in: $kinds}}
        likes: {sum: favorite_count}
        users: {distinct: {field: author_id, exact: 10}}
        towns: {distinct: town}
sink: {topic: "out-${city}"}
)";

PipelineSpec Load(std::string_view text, const ParameterValues& values = {}) {
  const auto spec = ParsePipeline(text, "p.yaml", values);
  EXPECT_TRUE(spec.ok()) << spec.status();
  return spec.ok() ? *spec : PipelineSpec{};
}

std::string Problems(std::string_view text, const ParameterValues& values = {}) {
  const auto spec = ParsePipeline(text, "p.yaml", values);
  EXPECT_FALSE(spec.ok());
  return spec.ok() ? "" : std::string(spec.status().message());
}

// The good pipeline with one piece replaced.
std::string With(std::string_view from, std::string_view to) {
  std::string text(kGood);
  const size_t at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return text.replace(at, from.size(), to);
}

TEST(LoadTest, ReadsEveryPart) {
  const PipelineSpec spec = Load(kGood);
  EXPECT_EQ(spec.application_id, "app");
  ASSERT_EQ(spec.sources.size(), 1u);
  EXPECT_EQ(spec.sources[0].timestamp.name, "created_at");
  ASSERT_EQ(spec.steps.size(), 6u);
  const auto* key = spec.Find<KeyStep>();
  ASSERT_EQ(key->fields.size(), 2u);
  EXPECT_EQ(key->separator, "|");
  const auto* window = spec.Find<WindowStep>();
  EXPECT_EQ(window->size_ms, 300'000);
  EXPECT_EQ(window->advance_ms, 60'000);
  EXPECT_EQ(window->grace_ms, 10'000);
  EXPECT_EQ(window->retention_ms, 86'400'000);
  const auto* aggregate = spec.Find<AggregateStep>();
  ASSERT_EQ(aggregate->fields.size(), 5u);
  EXPECT_EQ(aggregate->fields[1].condition.values[0].text, "retweet");
  EXPECT_EQ(aggregate->fields[3].exact_max, 10);
  EXPECT_EQ(spec.sinks[0].topic, "out-Toronto");
}

TEST(LoadTest, ParametersAreOverriddenAndSpliced) {
  const PipelineSpec spec = Load(With("in: $kinds", "in: [a, $kinds, b]"), {{"window", "15m"}, {"kinds", "retweet, quote,reply"}});
  EXPECT_EQ(spec.Find<WindowStep>()->size_ms, 900'000);
  std::vector<std::string> kinds;
  for (const Literal& value : spec.Find<AggregateStep>()->fields[1].condition.values) kinds.push_back(value.text);
  EXPECT_EQ(kinds, (std::vector<std::string>{"a", "retweet", "quote", "reply", "b"}));
  EXPECT_TRUE(spec.parameters[0].overridden);
  EXPECT_EQ(spec.parameters[1].value, "retweet,quote,reply");
}

TEST(LoadTest, RefusesWrongParameters) {
  EXPECT_EQ(Problems(kGood, {{"windw", "1m"}}),
            "p.yaml: unknown parameter in --set 'windw'; did you mean 'window'?; allowed: window, kinds, city");
  EXPECT_THAT(Problems(kGood, {{"window", "soon"}}), HasSubstr("--set window=soon: the parameter is a duration"));
  EXPECT_EQ(Problems(With("$window", "$windw")), "p.yaml:8:30: unknown parameter 'windw'; did you mean 'window'?; allowed: window, kinds, city");
  EXPECT_THAT(Problems(kGood, {{"window", "30s"}}), HasSubstr("advance must not be above its size"));
}

struct Wrong {
  const char* from;
  const char* to;
  const char* message;
};

TEST(LoadTest, EveryProblemNamesItsPlaceAndTheNextStep) {
  const std::vector<Wrong> cases = {
      {"steps:", "stepps:", "p.yaml:4:1: unknown key of a pipeline 'stepps'; did you mean 'steps'?"},
      {"topic: posts,", "", "p.yaml:3:9: source needs 'topic'"},
      {"format: post", "format: pst", "p.yaml:3:32: unknown format 'pst'; did you mean 'post'?; allowed: post, x-v2, x-v1"},
      {"format: post", "format: post, timestamp: text", "field 'text' holds text, not a timestamp; the format's own is 'created_at'"},
      {"format: post", "format: post, timestamp: create_at", "p.yaml:3:49: unknown field of format post 'create_at'; did you mean 'created_at'?"},
      {"- filter:", "- fliter:", "p.yaml:5:5: unknown step 'fliter'; did you mean 'filter'?"},
      {"field: place.type", "field: place.tpye", "p.yaml:5:21: unknown field 'place.tpye'; did you mean 'place.type'?"},
      {"equals: city", "equal: city", "p.yaml:5:33: unknown key of a condition 'equal'; did you mean 'equals'?"},
      {", equals: city", "", "p.yaml:5:13: the condition compares nothing"},
      {"equals: city", "equals: [city]", "equals takes one value, not a list"},
      {"field: place.type, equals: city", "field: favorite_count, gt: many", "'many' cannot equal field 'favorite_count', which holds integer"},
      {"field: place.type, equals: city", "field: favorite_count, prefix: 1", "prefix needs a text field"},
      {"field: place.type, equals: city", "field: hashtags, gt: 1", "list of texts, which has no order"},
      {"field: place.type, equals: city", "any: [], field: lang", "all and any take a list of conditions"},
      {"hopping: {size: $window, advance: 1m}", "tumbling: 5x", "tumbling must be a duration such as 5m, 90s, 1d or 500ms, not '5x'"},
      {"hopping: {size: $window, advance: 1m}", "tumbling: 0ms", "must be above 0ms"},
      {"hopping: {size: $window, advance: 1m}", "session: 5m", "unknown key of window 'session'"},
      {"grace: 10s", "grace: 10s, retention: 1m", "retention must be at least the window's size plus its grace"},
      {"grace: 10s", "emit: sometimes", "unknown value of emit 'sometimes'"},
      {"n: count", "n: cuont", "p.yaml:12:12: unknown aggregate 'cuont'; did you mean 'count'?"},
      {"n: count", "n: sum", "'sum' needs a field: write {sum: FIELD}"},
      {"sum: favorite_count", "sum: text", "the aggregate of 'likes' needs numbers; 'text' holds text"},
      {"sum: favorite_count", "first: hashtags", "needs a single value"},
      {"exact: 10", "exact: -1", "exact must be an integer from 0 to 65536, not '-1'"},
      {"towns: {distinct: town}", "users_exact: count", "'users' also answers 'users_exact'"},
      {"store: s", "store: 'a b'", "store 'a b' is not a name that Kafka takes"},
      {"application.id: app", "application.id:", "a pipeline needs 'application.id'"},
      {"steps:", "steps: []\nsteps:", "p.yaml:5:1: 'steps' occurs twice"},
      {"sink: {topic: \"out-${city}\"}", "sink: {topic: 'out-$'}", "is not a name that Kafka takes"},
      {"sink: {topic: \"out-${city}\"}", "sink: {topic: 'out-$x'}", "write ${name} for a parameter inside a text"},
      {"  - key: [place.full_name, lang]\n", "", "aggregate needs a key step before it"},
      {"- key: [place.full_name, lang]", "- key: [hashtags]", "cannot be a key"},
      {"steps:\n", "steps: [\n", "not valid YAML"},
      {"sum: favorite_count", "windows: favorite_count", "windows counts windows and takes no field"},
      {"sum: favorite_count", "last: {field: text, merge: avg}", "the aggregate of 'likes' needs numbers; 'text' holds text"},
      {"sum: favorite_count", "last: {field: favorite_count, merge: sum}", "unknown rule of merge 'sum'"},
      {"sum: favorite_count", "last: {field: favorite_count, by: lang}", "by needs numbers; 'lang' holds text"},
      {"sum: favorite_count", "last: {by: created_at}", "last needs 'field'"},
      {"set: {lang: {default: unknown}", "set: {favorite_count: {default: unknown}", "default 'unknown' does not fit field 'favorite_count'"},
  };
  for (const Wrong& wrong : cases) EXPECT_THAT(Problems(With(wrong.from, wrong.to)), HasSubstr(wrong.message)) << wrong.to;
}

TEST(LoadTest, ProcessingTimeIsForAllSourcesOrNone) {
  EXPECT_TRUE(Load(With("format: post", "format: post, timestamp: processing")).sources[0].processing_time);
  EXPECT_THAT(Problems(With("source: {topic: posts, format: post}",
                            "sources: [{topic: a, format: post, timestamp: processing}, {topic: b, format: post}]")),
              HasSubstr("either all sources have 'timestamp: processing' or none"));
}

TEST(LoadTest, WhatIsAboutSeveralWindowsNeedsOne) {
  std::string text = With("sum: favorite_count", "last: {field: favorite_count, merge: max}");
  EXPECT_EQ(Load(text).Find<AggregateStep>()->fields[2].merge, AggregateFieldSpec::Merge::kMax);
  const size_t window = text.find("  - window");
  text.erase(window, text.find('\n', window) + 1 - window);
  EXPECT_THAT(Problems(text), HasSubstr("'likes' is about several windows, so the pipeline needs a window step"));
}

TEST(LoadTest, AllProblemsComeTogetherInOrder) {
  std::string text = With("place.type", "place.tpye");
  text.replace(text.find("n: count"), 8, "n: cuont");
  text.replace(text.find("topic: posts"), 12, "topic: po sts");
  const std::string problems = Problems(text);
  EXPECT_EQ(std::count(problems.begin(), problems.end(), '\n'), 2) << problems;
  EXPECT_LT(problems.find("po sts"), problems.find("tpye"));
  EXPECT_LT(problems.find("tpye"), problems.find("cuont"));
}

TEST(LoadTest, RefusesWhatIsNotAPipeline) {
  EXPECT_THAT(Problems(""), HasSubstr("p.yaml:1:1: a pipeline must be a map"));
  EXPECT_THAT(Problems("- a\n- b\n"), HasSubstr("not a list"));
  EXPECT_THAT(Problems("application.id: a\n"), HasSubstr("a pipeline needs 'source'"));
  EXPECT_THAT(Problems("a: 1\n---\nb: 2\n"), HasSubstr("holds one document"));
  // Aliases that multiply.
  std::string bomb = "a: &a [x, x, x, x, x, x, x, x, x, x]\n";
  for (char c = 'b'; c < 'h'; ++c) {
    const std::string before(1, static_cast<char>(c - 1));
    bomb += std::string(1, c) + ": &" + c + " [*" + before;
    for (int i = 0; i < 9; ++i) bomb += ", *" + before;
    bomb += "]\n";
  }
  EXPECT_THAT(Problems(bomb), HasSubstr("too large or too deep"));
}

TEST(LoadTest, AMissingFileIsNamed) {
  const auto spec = LoadPipeline("/nonexistent/p.yaml", {});
  EXPECT_EQ(spec.status().code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(std::string(spec.status().message()), HasSubstr("/nonexistent/p.yaml"));
}

TEST(LoadTest, NestedConditions) {
  const PipelineSpec spec =
      Load(With("{field: place.type, equals: city}",
                "{all: [{field: lang, in: [en, fr]}, {not: {field: text, prefix: RT}}, {any: [{field: place.id, exists: false}, "
                "{field: created_at, gte: 2026-01-01, lt: 2027-01-01}]}]}"));
  const Condition& condition = std::get<FilterStep>(spec.steps[0]).condition;
  ASSERT_EQ(condition.kind, Condition::Kind::kAll);
  ASSERT_EQ(condition.children.size(), 3u);
  EXPECT_EQ(condition.children[0].values.size(), 2u);
  EXPECT_EQ(condition.children[1].kind, Condition::Kind::kNot);
  EXPECT_EQ(condition.children[2].children[0].kind, Condition::Kind::kNot);
  EXPECT_EQ(condition.children[2].children[1].children.size(), 2u);
}

}  // namespace
}  // namespace tailrace::pipeline
