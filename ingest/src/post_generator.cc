#include "tailrace/ingest/post_generator.h"

#include <algorithm>
#include <array>
#include <vector>

#include "absl/strings/str_cat.h"
#include "alias_table.h"
#include "event_clock.h"
#include "post_text.h"
#include "redelivery.h"
#include "tailrace/base/check.h"
#include "tailrace/base/limits.h"
#include "tailrace/base/random.h"
#include "tailrace/ingest/cities.h"
#include "tailrace/base/json_text.h"
#include "tickers.h"
#include "words.h"

namespace tailrace::ingest {
namespace {

using base::AppendJsonInt;
using base::AppendJsonString;

// Authors of a city are much less uneven than cities: without the shift the first would write a tenth of all posts.
constexpr uint64_t kAuthorShift = 20;
constexpr double kTravelRate = 0.05;
// Posts that retweets, quotes and replies may refer to.
constexpr size_t kRememberedPosts = 1'024;
constexpr int64_t kRateMax = 100'000'000;
// Cashtags are drawn from numbers of their own, so that the rest of a post is the same with and without.
constexpr uint64_t kCashtagSeed = 0x63617368746167;

const char* PlaceTypeName(PlaceType type) {
  switch (type) {
    case PlaceType::kNone: break;
    case PlaceType::kCity: return "city";
    case PlaceType::kPoi: return "poi";
    case PlaceType::kNeighborhood: return "neighborhood";
    case PlaceType::kAdmin: return "admin";
    case PlaceType::kCountry: return "country";
  }
  return "none";
}

// Ids as sources have them: growing with time, above 2^53, below 2^63.
int64_t PostId(int64_t time_ms, int64_t index) {
  constexpr int64_t kTimeMax = (int64_t{1} << 41) - 1;
  constexpr int64_t kTimeLeast = int64_t{1} << 32;
  return (std::clamp(time_ms, kTimeLeast, kTimeMax) << 22) | (index & 0x3fffff);
}
int64_t AuthorId(uint32_t author) { return 1'000'000'000'000'000'000 + int64_t{author} * 7'919'000'003; }

void AppendAuthorName(std::string& out, uint32_t author) {
  const auto beginnings = NameBeginnings();
  const auto endings = NameEndings();
  out += beginnings[author % beginnings.size()];
  out += '_';
  out += endings[author / beginnings.size() % endings.size()];
  AppendJsonInt(out, author / (beginnings.size() * endings.size()));
}

void AppendQuotedInt(std::string& out, int64_t value) {
  out += '"';
  AppendJsonInt(out, value);
  out += '"';
}

// A place as it stands in posts; made once.
struct Place {
  std::string full_name;
  std::string json;  // ,"place":{...}
};

Place NewPlace(PlaceType type, uint32_t city_index) {
  const City& city = Cities()[city_index];
  const bool canada = city.country_code == "CA";
  std::string name(city.name);
  Place place{.full_name = std::string(city.full_name), .json = {}};
  switch (type) {
    case PlaceType::kPoi:
      name = absl::StrCat("Central Library ", name);
      place.full_name = name;
      break;
    case PlaceType::kNeighborhood:
      name = "Old Port";
      place.full_name = absl::StrCat("Old Port, ", std::string(city.name));
      break;
    case PlaceType::kAdmin:
      name = city.region;
      place.full_name = canada ? absl::StrCat(name, ", Canada") : name;
      break;
    case PlaceType::kCountry:
      name = canada ? "Canada" : std::string(city.region);
      place.full_name = name;
      break;
    default: break;
  }
  place.json = ",\"place\":{\"id\":\"";
  // 16 hexadecimal digits, as sources have them.
  base::Random id(city_index * 8 + static_cast<uint64_t>(type));
  place.json += absl::StrCat(absl::Hex(id.Next(), absl::kZeroPad16), "\",\"name\":");
  AppendJsonString(place.json, name);
  place.json += ",\"full_name\":";
  AppendJsonString(place.json, place.full_name);
  place.json += absl::StrCat(",\"type\":\"", PlaceTypeName(type), "\",\"country_code\":\"", std::string(city.country_code), "\"}");
  return place;
}

}  // namespace

const char* PostKindName(PostKind kind) {
  switch (kind) {
    case PostKind::kOriginal: return "original";
    case PostKind::kRetweet: return "retweet";
    case PostKind::kQuote: return "quote";
    case PostKind::kReply: return "reply";
  }
  return "original";
}

absl::Status CheckPostOptions(const PostOptions& options) {
  const auto check = [](double rate) { return rate >= 0 && rate <= 1; };
  for (const double rate : {options.retweet_rate, options.quote_rate, options.reply_rate, options.late_rate,
                            options.malformed_rate, options.without_place_rate, options.other_place_rate, options.cashtag_rate,
                            options.redeliver_rate})
    if (!check(rate)) return base::UsageError(absl::StrCat("a share of posts is ", rate, "; it must be from 0 to 1"));
  if (!check(options.retweet_rate + options.quote_rate + options.reply_rate))
    return base::UsageError("the shares of retweets, quotes and replies are more than 1 together");
  if (!check(options.without_place_rate + options.other_place_rate))
    return base::UsageError("the shares of posts without place and with another place are more than 1 together");
  if (options.authors < 1 || options.authors > base::limits::kGeneratedAuthorsMax)
    return base::UsageError(absl::StrCat(options.authors, " authors; it must be 1 to ", base::limits::kGeneratedAuthorsMax));
  if (options.source.rate < 1 || options.source.rate > kRateMax)
    return base::UsageError(absl::StrCat("the rate is ", options.source.rate, " posts per second; it must be 1 to ", kRateMax));
  if (options.source.start_ms < 0) return base::UsageError("the start is before 1970");
  if (options.late_max_ms < 1) return base::UsageError("the lateness must be at least 1 ms");
  return absl::OkStatus();
}

class PostGenerator::Impl {
 public:
  explicit Impl(const PostOptions& options)
      : options_(options), clock_(options.source), random_(options.source.seed), cashtags_(options.source.seed ^ kCashtagSeed),
        cities_(AliasTable::Zipf(Cities().size())), redeliveries_(options.redeliver_rate, options.source.seed) {
    TAILRACE_CHECK(CheckPostOptions(options).ok(), "the caller checks the options");
    AddAuthors();
    for (uint32_t city = 0; city < Cities().size(); ++city)
      for (PlaceType type : {PlaceType::kCity, PlaceType::kPoi, PlaceType::kNeighborhood, PlaceType::kAdmin, PlaceType::kCountry})
        places_.push_back(NewPlace(type, city));
  }

  const PostOptions& options() const { return options_; }
  int64_t NextEventMs() const { return clock_.At(index_); }

  // Draws the facts first, all in one fixed order, then writes them.
  void Next(GeneratedPost& post) {
    const int64_t now_ms = NextEventMs();
    if (redeliveries_.Draw(post, now_ms)) {
      ++index_;
      return;
    }
    DrawFacts(post, now_ms);
    const int64_t id = PostId(now_ms, index_);
    WriteKey(post);
    Write(post, id, now_ms);
    Spoil(post);
    if (post.kind == PostKind::kOriginal && !post.malformed) Remember(id, post.author);
    redeliveries_.Remember(post);
    ++index_;
  }

 private:
  struct Reference {
    int64_t id = 0;
    uint32_t author = 0;
  };

  // Every city has its own authors, as many as its share of posts.
  void AddAuthors() {
    double shares = 0;
    for (size_t rank = 1; rank <= Cities().size(); ++rank) shares += 1.0 / static_cast<double>(rank);
    uint32_t first = 0;
    for (size_t rank = 1; rank <= Cities().size(); ++rank) {
      const double share = static_cast<double>(options_.authors) / (static_cast<double>(rank) * shares);
      authors_.push_back(AliasTable::Zipf(std::max<size_t>(1, static_cast<size_t>(share)), kAuthorShift));
      first_author_.push_back(first);
      first += static_cast<uint32_t>(authors_.back().size());
    }
  }

  void DrawFacts(GeneratedPost& post, int64_t now_ms) {
    post.city = cities_.Draw(random_);
    const uint32_t home = random_.Chance(kTravelRate) ? cities_.Draw(random_) : post.city;
    post.author = first_author_[home] + authors_[home].Draw(random_);
    const City& city = Cities()[post.city];
    lang_ = random_.Below(100) < static_cast<uint64_t>(city.other_percent) ? city.other_lang : city.lang;

    const double kind = random_.Unit();
    post.kind = PostKind::kOriginal;
    if (remembered_ > 0) {  // The first posts have nothing to refer to.
      if (kind < options_.retweet_rate) post.kind = PostKind::kRetweet;
      else if (kind < options_.retweet_rate + options_.quote_rate) post.kind = PostKind::kQuote;
      else if (kind < options_.retweet_rate + options_.quote_rate + options_.reply_rate) post.kind = PostKind::kReply;
    }
    if (post.kind != PostKind::kOriginal) reference_ = references_[random_.Below(std::min(remembered_, kRememberedPosts))];

    const double place = random_.Unit();
    post.place_type = PlaceType::kCity;
    if (place < options_.without_place_rate) {
      post.place_type = PlaceType::kNone;
    } else if (place < options_.without_place_rate + options_.other_place_rate) {
      post.place_type = static_cast<PlaceType>(static_cast<uint64_t>(PlaceType::kPoi) + random_.Below(4));
    }

    post.timestamp_ms = now_ms;
    if (random_.Chance(options_.late_rate)) {
      const auto by_ms = static_cast<int64_t>(1 + random_.Below(static_cast<uint64_t>(options_.late_max_ms)));
      post.timestamp_ms = std::max<int64_t>(now_ms - by_ms, 0);
    }
    post.late = post.timestamp_ms < now_ms;
    post.malformed = random_.Chance(options_.malformed_rate);
    post.malformation = post.malformed ? static_cast<Malformation>(1 + random_.Below(kMalformationCount - 1)) : Malformation::kNone;
  }

  const Place& PlaceOf(const GeneratedPost& post) const {
    constexpr size_t kTypes = 5;
    return places_[post.city * kTypes + static_cast<size_t>(post.place_type) - 1];
  }

  void WriteKey(GeneratedPost& post) {
    post.key.clear();
    if (post.place_type == PlaceType::kNone) AppendJsonInt(post.key, AuthorId(post.author));
    else post.key = PlaceOf(post).full_name;
  }

  // The members in the order of pipeline::AppendPostJson.
  void Write(GeneratedPost& post, int64_t id, int64_t now_ms) {
    std::string& out = post.value;
    out = "{\"id\":";
    AppendQuotedInt(out, id);
    out += ",\"author_id\":";
    AppendQuotedInt(out, AuthorId(post.author));
    out += ",\"author_name\":\"";
    AppendAuthorName(out, post.author);
    out += '"';
    WriteCreatedAt(post);
    prefix_.clear();
    if (post.kind == PostKind::kRetweet || post.kind == PostKind::kReply) {
      prefix_ = post.kind == PostKind::kRetweet ? "RT @" : "@";
      AppendAuthorName(prefix_, reference_.author);
      prefix_ += post.kind == PostKind::kRetweet ? ": " : " ";
    }
    text_writer_.Write(random_, {.lang = lang_, .time_ms = now_ms, .prefix = prefix_}, text_, hashtags_);
    AddCashtags();
    out += ",\"text\":";
    text_offset_ = out.size() + 1;
    AppendJsonString(out, text_);
    out += ",\"lang\":\"";
    out += lang_;
    out += '"';
    place_offset_ = out.size();
    if (post.place_type != PlaceType::kNone) out += PlaceOf(post).json;
    out += ",\"kind\":\"";
    out += PostKindName(post.kind);
    out += '"';
    if (post.kind != PostKind::kOriginal) {
      out += ",\"ref_id\":";
      AppendQuotedInt(out, reference_.id);
    }
    // Few posts are popular, and those very.
    const uint64_t popularity = random_.Next();
    const auto count = [&](int shift) { return static_cast<int64_t>((popularity >> shift) & ((1u << ((popularity >> (shift + 16)) % 13)) - 1)); };
    out += ",\"retweet_count\":";
    AppendJsonInt(out, post.kind == PostKind::kRetweet ? count(0) + 1 : 0);
    out += ",\"favorite_count\":";
    AppendJsonInt(out, post.kind == PostKind::kRetweet ? count(24) : 0);
    WriteHashtags(out);
    constexpr std::array<std::string_view, 4> kSources = {"web", "ios", "android", "api"};
    out += ",\"source\":\"";
    out += kSources[(popularity >> 60) & 3];
    out += "\",\"received_at\":";
    AppendJsonInt(out, now_ms);
    out += '}';
  }

  void WriteCreatedAt(GeneratedPost& post) {
    if (post.malformation == Malformation::kMissingTime) return;
    std::string& out = post.value;
    out += ",\"created_at\":";
    if (post.malformation != Malformation::kWrongType) {
      AppendJsonInt(out, post.timestamp_ms);
      return;
    }
    constexpr std::array<std::string_view, 4> kWrong = {"true", "{}", "[1]", "\"yesterday\""};
    out += kWrong[random_.Below(kWrong.size())];
  }

  void AddCashtags() {
    if (options_.cashtag_rate == 0 || !cashtags_.Chance(options_.cashtag_rate)) return;
    for (uint64_t count = 1 + cashtags_.Below(2); count > 0; --count) {
      text_ += " $";
      text_ += kTickers[cashtags_.Below(kTickers.size())].name;
    }
  }

  void WriteHashtags(std::string& out) {
    if (hashtags_.empty()) return;
    out += ",\"hashtags\":[";
    for (size_t i = 0; i < hashtags_.size(); ++i) {
      if (i > 0) out += ',';
      AppendJsonString(out, hashtags_[i]);
    }
    out += ']';
  }

  // What is broken in the finished text; the other kinds are written broken.
  void Spoil(GeneratedPost& post) {
    switch (post.malformation) {
      case Malformation::kCutJson: post.value.resize(1 + random_.Below(place_offset_ - 1)); break;
      case Malformation::kInvalidUtf8: post.value.insert(text_offset_, "\xff\xc3"); break;
      case Malformation::kEmpty: post.value.clear(); break;
      default: break;
    }
  }

  void Remember(int64_t id, uint32_t author) {
    references_[remembered_ % kRememberedPosts] = {.id = id, .author = author};
    ++remembered_;
  }

  const PostOptions options_;
  const EventClock clock_;
  base::Random random_;
  base::Random cashtags_;
  const AliasTable cities_;
  std::vector<AliasTable> authors_;
  std::vector<uint32_t> first_author_;
  std::vector<Place> places_;  // by city, then type
  PostText text_writer_;
  Redeliveries redeliveries_;
  std::array<Reference, kRememberedPosts> references_{};
  size_t remembered_ = 0;
  int64_t index_ = 0;

  // Of the post in work.
  Reference reference_;
  std::string_view lang_;
  std::string prefix_;
  std::string text_;
  std::vector<std::string_view> hashtags_;
  size_t text_offset_ = 0;
  size_t place_offset_ = 0;
};

PostGenerator::PostGenerator(const PostOptions& options) : impl_(std::make_unique<Impl>(options)) {}
PostGenerator::~PostGenerator() = default;
PostGenerator::PostGenerator(PostGenerator&&) noexcept = default;
PostGenerator& PostGenerator::operator=(PostGenerator&&) noexcept = default;
void PostGenerator::Next(GeneratedPost& post) { impl_->Next(post); }
const PostOptions& PostGenerator::options() const { return impl_->options(); }
int64_t PostGenerator::NextEventMs() const { return impl_->NextEventMs(); }

}  // namespace tailrace::ingest
