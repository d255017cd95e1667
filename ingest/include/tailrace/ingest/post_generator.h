// Made-up posts that look like real ones, the same for the same options on every platform.
//
// Cities and authors follow Zipf's law; authors belong to a city and travel now and then; languages follow the country;
// topics change by the hour. Some posts come late, some are broken on purpose, some have no place or one that is no city.
//
//   PostGenerator posts({.source = {.seed = 1, .start_ms = start, .rate = 500}});
//   GeneratedPost post;
//   for (int i = 0; i < n; ++i) { posts.Next(post); Send(post.key, post.value, post.timestamp_ms); }
#pragma once

#include <cstdint>
#include <memory>

#include "tailrace/base/status.h"
#include "tailrace/ingest/record_source.h"

namespace tailrace::ingest {

// All rates are shares of all posts, from 0 to 1.
struct PostOptions {
  SourceOptions source;
  int64_t authors = 100'000;
  double retweet_rate = 0.25;
  double quote_rate = 0.05;
  double reply_rate = 0.15;
  double late_rate = 0.01;
  // Late posts are uniformly late up to this. Below a pipeline's grace, what is counted does not depend on partitions.
  int64_t late_max_ms = 300'000;
  double malformed_rate = 0.001;
  double without_place_rate = 0.01;
  double other_place_rate = 0.02;  // a place that is no city
  // Off by default, and then the stream is what it was before there was such a thing:
  double cashtag_rate = 0;    // posts that mention one or two shares ($AAPL)
  double redeliver_rate = 0;  // records that are an earlier post once more, with other counters
};

// kInvalidArgument when a rate is outside 0..1, rates that exclude each other sum to more than 1, or a number is out of
// its bounds.
absl::Status CheckPostOptions(const PostOptions& options);

enum class PostKind : uint8_t { kOriginal, kRetweet, kQuote, kReply };
inline constexpr int kPostKindCount = 4;
const char* PostKindName(PostKind kind);

enum class PlaceType : uint8_t { kNone, kCity, kPoi, kNeighborhood, kAdmin, kCountry };

enum class Malformation : uint8_t { kNone, kCutJson, kWrongType, kMissingTime, kInvalidUtf8, kEmpty };
inline constexpr int kMalformationCount = 6;

// The record, and the facts it was written from. `timestamp_ms` is created_at; for a malformed post what it would have
// been.
struct GeneratedPost : GeneratedRecord {
  uint32_t city = 0;    // index into Cities(); says where the author is, also when the post has no place
  uint32_t author = 0;  // number of the author; author_id follows from it alone
  PlaceType place_type = PlaceType::kNone;
  PostKind kind = PostKind::kOriginal;
  Malformation malformation = Malformation::kNone;
};

// Not thread-safe. About a microsecond per post; no allocation once the buffers have grown.
class PostGenerator {
 public:
  // REQUIRES: CheckPostOptions(options) is OK.
  explicit PostGenerator(const PostOptions& options);
  ~PostGenerator();
  PostGenerator(PostGenerator&&) noexcept;
  PostGenerator& operator=(PostGenerator&&) noexcept;

  void Next(GeneratedPost& post);
  const PostOptions& options() const;
  // The event time of the record after the last one, had it not been late.
  int64_t NextEventMs() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace tailrace::ingest
