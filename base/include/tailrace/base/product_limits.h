// The bounds of the gateway's product routes and of the registry of requests, each with its unit, as in limits.h. They have a
// header of their own since few files need them.
#pragma once

#include <cstddef>

namespace tailrace::base::limits {

// Cities of one list, and rows of the newest language window, that are read for one answer.
inline constexpr size_t kCitiesMax = 100'000;
inline constexpr size_t kLanguageRowsMax = 5'000;
// Days of users and tickers that one answer about sentiment reads.
inline constexpr size_t kSentimentDaysMax = 100'000;
// Bytes of a word that is looked up.
inline constexpr size_t kTopicBytesMax = 256;
// Requests for histories that a listing reads before it sorts them, and that one worker writes at once.
inline constexpr size_t kRequestsReadMax = 10'000;
inline constexpr size_t kRequestsPendingMax = 10'000;
// Bytes of the name in a request: of a user (free text in some networks; the longest known are 50 characters of up to four
// bytes), of a ticker ("EXCHANGE:SYMBOL"), and of either as it was typed, with white space and accents apart.
inline constexpr size_t kUserNameBytesMax = 200;
inline constexpr size_t kTickerNameBytesMax = 32;
inline constexpr size_t kTypedNameBytesMax = 800;

}  // namespace tailrace::base::limits
