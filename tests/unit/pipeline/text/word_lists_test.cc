// The shipped lists are in the form in which words come out of a text; otherwise an entry would never be found.
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <sstream>

#include "text/lexicon.h"
#include "text/stop_words.h"
#include "text/word_list.h"

namespace tailrace::pipeline::text {
namespace {

// The words of all raw strings of a source file.
std::vector<std::string> WordsIn(const std::string& file) {
  std::ifstream in(std::string(std::getenv("TAILRACE_SOURCE_DIR")) + "/pipeline/src/text/" + file);
  std::ostringstream text;
  text << in.rdbuf();
  const std::string source = text.str();
  std::vector<std::string> words;
  for (size_t at = source.find("R\"("); at != std::string::npos; at = source.find("R\"(", at + 1)) {
    ForEachWord(std::string_view(source).substr(at + 3, source.find(")\"", at) - at - 3), [&](std::string_view word) { words.emplace_back(word); });
  }
  return words;
}

void ExpectWholeWords(const std::vector<std::string>& words) {
  WordReader reader;
  for (const std::string& word : words) {
    std::string_view read;
    reader.Start(word);
    ASSERT_TRUE(reader.Next(read)) << word;
    EXPECT_EQ(read, word);
    EXPECT_FALSE(reader.Next(read)) << word;
  }
}

TEST(WordListsTest, StopWordsAreWords) {
  const auto words = WordsIn("stop_words.cc");
  EXPECT_GT(words.size(), 1'000u);
  ExpectWholeWords(words);
}

TEST(WordListsTest, StopWordsAreThoseOfTheLanguagesAskedFor) {
  const StopWords english({"en"}, {"RT", "Été"});
  EXPECT_TRUE(english.Contains("about"));
  EXPECT_FALSE(english.Contains("avec"));
  EXPECT_TRUE(english.Contains("rt"));
  EXPECT_TRUE(english.Contains("été"));
  const StopWords both({"en", "fr"}, {});
  EXPECT_TRUE(both.Contains("about"));
  EXPECT_TRUE(both.Contains("avec"));
  EXPECT_FALSE(StopWords({}, {}).Contains("about"));
  EXPECT_EQ(StopWordLanguages().size(), 7u);
}

TEST(WordListsTest, TheLexiconHoldsWords) {
  const auto words = WordsIn("lexicon.cc");
  EXPECT_GE(SentimentWordCount(), 700u);  // Making it checks that no word has two weights.
  EXPECT_LE(SentimentWordCount(), words.size());
  ExpectWholeWords(words);
  for (const std::string& word : words) EXPECT_NE(SentimentWeight(word), 0) << word;
}

TEST(WordListsTest, SentimentIsTheSumOfTheWeights) {
  WordReader reader;
  EXPECT_EQ(SentimentWeight("great"), 2);
  EXPECT_EQ(SentimentOf("Great, GREAT news: the worst is over", reader), 2 + 2 - 3);
  EXPECT_EQ(SentimentOf("Quelle journée magnifique, una ciudad hermosa, een mooie dag", reader), 3 + 2 + 2);
  EXPECT_EQ(SentimentOf("@great https://great.example", reader), 0);
}

}  // namespace
}  // namespace tailrace::pipeline::text
