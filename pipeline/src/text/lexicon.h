// A small lexicon of words that praise or blame, in English, French, Spanish and Dutch, with weights from -3 to 3.
//
// It is the project's own, under the project's licence (Apache-2.0), and no match for a trained model: it knows no negation, irony
// or context. What it gives is the same everywhere and can be added up.
#pragma once

#include <cstdint>
#include <string_view>

#include "text/word_reader.h"

namespace tailrace::pipeline::text {

// 0 for words that it does not know. `word` as WordReader gives it. Thread-safe.
int SentimentWeight(std::string_view word);
// Words that it knows.
size_t SentimentWordCount();

// The sum of the weights of all words of a text. `reader` lends its buffers.
int64_t SentimentOf(std::string_view text, WordReader& reader);

}  // namespace tailrace::pipeline::text
