#include "text/word_reader.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tailrace/base/limits.h"

namespace tailrace::pipeline::text {
namespace {

using Words = std::vector<std::string>;

Words WordsOf(std::string_view text) {
  static WordReader reader;  // One for all, so that nothing may stay behind.
  Words words;
  std::string_view word;
  reader.Start(text);
  while (reader.Next(word)) words.emplace_back(word);
  return words;
}

TEST(WordReaderTest, CutsAtEverythingThatIsNoLetter) {
  EXPECT_EQ(WordsOf("Hello, wide-open world! It's 2026; covid19 snake_case"),
            (Words{"hello", "wide", "open", "world", "it", "s", "covid", "snake", "case"}));
  EXPECT_EQ(WordsOf("#JazzFest \xF0\x9F\x98\x80tonight\xF0\x9F\x8E\x89"), (Words{"jazzfest", "tonight"}));
  EXPECT_EQ(WordsOf(""), Words{});
  EXPECT_EQ(WordsOf("  12 ... "), Words{});
}

TEST(WordReaderTest, LeavesOutWebAddresses) {
  EXPECT_EQ(WordsOf("see https://t.co/Ab1?x=snow#y now"), (Words{"see", "now"}));
  EXPECT_EQ(WordsOf("HTTP://EXAMPLE.ORG"), Words{});
  EXPECT_EQ(WordsOf("(www.example.org/path)\nnext"), (Words{"next"}));
  // Only where a word can begin, and only whole schemes.
  EXPECT_EQ(WordsOf("awww.cute https:/x http"), (Words{"awww", "cute", "https", "x", "http"}));
}

TEST(WordReaderTest, LeavesOutMentions) {
  EXPECT_EQ(WordsOf("RT @maple_fox12: hi @a@b x@y.org @ z"), (Words{"rt", "hi", "x", "org", "z"}));
  EXPECT_EQ(WordsOf("\xEF\xBC\xA0someone there"), (Words{"there"}));  // A full-width @.
  // A name ends with what cannot be in one.
  EXPECT_EQ(WordsOf("@zo\xC3\xAB"), (Words{"\xC3\xAB"}));
}

TEST(WordReaderTest, LowersCaseInEveryScript) {
  EXPECT_EQ(WordsOf("ÉTÉ Straße ÇA ЖАРКО ΘΕΡΜΌ"), (Words{"été", "straße", "ça", "жарко", "θερμό"}));
}

TEST(WordReaderTest, BothSpellingsOfAnAccentAreOneWord) {
  EXPECT_EQ(WordsOf("Montre\xCC\x81"
                    "al Montr\xC3\xA9"
                    "al"),
            (Words{"montr\xC3\xA9"
                   "al",
                   "montr\xC3\xA9"
                   "al"}));
  // A mark that composes with nothing stays.
  EXPECT_EQ(WordsOf("x\xCC\x81y"), (Words{"x\xCC\x81y"}));
  // One on its own begins no word.
  EXPECT_EQ(WordsOf("\xCC\x81 a"), (Words{"a"}));
}

TEST(WordReaderTest, KeepsScriptsWithoutSpacesTogether) { EXPECT_EQ(WordsOf("今朝市場。"), (Words{"今朝市場"})); }

TEST(WordReaderTest, PassesOverWhatIsTooLongOrNoUtf8) {
  const std::string longest(base::limits::kWordBytesMax, 'a');
  EXPECT_EQ(WordsOf("x " + longest + " y"), (Words{"x", longest, "y"}));
  EXPECT_EQ(WordsOf("x " + longest + "a y"), (Words{"x", "y"}));
  EXPECT_EQ(WordsOf("ab\xFF\xC3 cd\xC3"), (Words{"ab", "cd"}));
}

}  // namespace
}  // namespace tailrace::pipeline::text
