#include "compile/predicate.h"

#include <gtest/gtest.h>

#include "compile/slot_map.h"
#include "tailrace/pipeline/load.h"

namespace tailrace::pipeline::compile {
namespace {

// The condition of a filter over a post with these values.
class PredicateTest : public testing::Test {
 protected:
  bool Matches(const std::string& condition) {
    const auto spec = ParsePipeline("application.id: a\nsource: {topic: t, format: post}\nsteps: [{filter: " + condition + "}]\nsink: {topic: o}\n",
                                    "p.yaml", {});
    EXPECT_TRUE(spec.ok()) << spec.status();
    if (!spec.ok()) return false;
    const SlotMap slots(*spec);
    std::vector<FieldValue> event;
    for (const std::string& field : slots.FieldsOf(spec->sources[0])) event.push_back(Value(field));
    return slots.Compile(std::get<FilterStep>(spec->steps[0]).condition).Matches(event);
  }

 private:
  FieldValue Value(const std::string& field) {
    if (field == "created_at") return FieldValue::Int(1767225600000);
    if (field == "lang") return FieldValue::Text("fr");
    if (field == "text") return FieldValue::Text("RT hello");
    if (field == "retweet_count") return FieldValue::Int(5);
    if (field == "hashtags") return FieldValue::TextList(tags_);
    return {};
  }
  const std::vector<std::string_view> tags_ = {"one", "two"};
};

TEST_F(PredicateTest, ComparesTexts) {
  EXPECT_TRUE(Matches("{field: lang, equals: fr}"));
  EXPECT_FALSE(Matches("{field: lang, equals: en}"));
  EXPECT_TRUE(Matches("{field: lang, in: [en, fr]}"));
  EXPECT_FALSE(Matches("{field: lang, in: []}"));
  EXPECT_TRUE(Matches("{field: text, prefix: RT}"));
  EXPECT_FALSE(Matches("{field: text, prefix: [rt, T]}"));
  EXPECT_TRUE(Matches("{field: lang, gt: en, lt: g}"));
}

TEST_F(PredicateTest, ComparesNumbersAndTimes) {
  EXPECT_TRUE(Matches("{field: retweet_count, equals: 5}"));
  EXPECT_TRUE(Matches("{field: retweet_count, in: [4, 5]}"));
  EXPECT_TRUE(Matches("{field: retweet_count, gte: 5, lte: 5}"));
  EXPECT_FALSE(Matches("{field: retweet_count, gt: 5}"));
  EXPECT_FALSE(Matches("{field: retweet_count, lt: 5}"));
  EXPECT_TRUE(Matches("{field: created_at, gte: '2026-01-01T00:00:00Z', lt: 2026-01-02}"));
}

TEST_F(PredicateTest, ListsMatchByOneOfTheirTexts) {
  EXPECT_TRUE(Matches("{field: hashtags, equals: two}"));
  EXPECT_FALSE(Matches("{field: hashtags, equals: three}"));
}

TEST_F(PredicateTest, NullsCompareFalse) {
  EXPECT_FALSE(Matches("{field: place.type, equals: city}"));
  EXPECT_TRUE(Matches("{not: {field: place.type, equals: city}}"));
  EXPECT_FALSE(Matches("{field: favorite_count, lt: 100}"));
  EXPECT_FALSE(Matches("{field: place.type, exists: true}"));
  EXPECT_TRUE(Matches("{field: place.type, exists: false}"));
}

TEST_F(PredicateTest, Nests) {
  EXPECT_TRUE(Matches("[{field: lang, equals: fr}, {field: retweet_count, gt: 1}]"));
  EXPECT_TRUE(Matches("{any: [{field: lang, equals: en}, {all: [{field: lang, equals: fr}, {not: {field: retweet_count, gt: 9}}]}]}"));
  EXPECT_FALSE(Matches("{all: [{field: lang, equals: fr}, {field: lang, equals: en}]}"));
}

}  // namespace
}  // namespace tailrace::pipeline::compile
