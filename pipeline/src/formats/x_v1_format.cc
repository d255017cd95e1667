#include "formats/builtin.h"
#include "formats/x_format.h"

namespace tailrace::pipeline::formats {
namespace {

namespace dom = simdjson::dom;

// A v1.1 status. Ids come as text in id_str; the number in id is read only where that is missing.
class XV1Reader final : public PostReader {
 public:
  XV1Reader(const std::vector<std::string>& names, const ReaderOptions& options) : PostReader(names, options) {}

 private:
  SkipReason Fill(dom::object status, std::string_view& failed) override {
    TAILRACE_SKIP_UNLESS_NONE(Id(PostField::kId, status, "id_str", "id", failed));
    TAILRACE_SKIP_UNLESS_NONE(Take(PostField::kCreatedAt, status, "created_at", Conversion::kTimestamp, failed));
    TAILRACE_SKIP_UNLESS_NONE(Text(status, failed));
    TAILRACE_SKIP_UNLESS_NONE(Take(PostField::kLang, status, "lang", Conversion::kText, failed));
    TAILRACE_SKIP_UNLESS_NONE(Take(PostField::kRetweetCount, status, "retweet_count", Conversion::kInt, failed));
    TAILRACE_SKIP_UNLESS_NONE(Take(PostField::kFavoriteCount, status, "favorite_count", Conversion::kInt, failed));
    if (const auto user = FindObject(status, "user")) {
      TAILRACE_SKIP_UNLESS_NONE(Id(PostField::kAuthorId, *user, "id_str", "id", failed));
      TAILRACE_SKIP_UNLESS_NONE(Take(PostField::kAuthorName, *user, "screen_name", Conversion::kText, failed));
    }
    if (const auto place = FindObject(status, "place"); place && WantsPlace()) {
      TAILRACE_SKIP_UNLESS_NONE(TakePlace(*place, failed));
    }
    if (const auto entities = FindObject(status, "entities")) {
      TAILRACE_SKIP_UNLESS_NONE(Take(PostField::kHashtags, *entities, "hashtags", Conversion::kTextList, failed, "text"));
    }
    TAILRACE_SKIP_UNLESS_NONE(Kind(status, failed));
    Put(PostField::kSource, "x-v1");
    return SkipReason::kNone;
  }

  SkipReason Id(PostField field, dom::object object, std::string_view text_key, std::string_view number_key,
                std::string_view& failed) {
    TAILRACE_SKIP_UNLESS_NONE(Take(field, object, text_key, Conversion::kText, failed));
    return IsNull(field) ? Take(field, object, number_key, Conversion::kId, failed) : SkipReason::kNone;
  }

  // The longest form of the text: extended statuses keep it in an object of their own or in full_text.
  SkipReason Text(dom::object status, std::string_view& failed) {
    if (!Wants(PostField::kText)) return SkipReason::kNone;
    if (const auto extended = FindObject(status, "extended_tweet")) {
      TAILRACE_SKIP_UNLESS_NONE(Take(PostField::kText, *extended, "full_text", Conversion::kText, failed));
    }
    if (IsNull(PostField::kText)) {
      TAILRACE_SKIP_UNLESS_NONE(Take(PostField::kText, status, "full_text", Conversion::kText, failed));
    }
    return IsNull(PostField::kText) ? Take(PostField::kText, status, "text", Conversion::kText, failed) : SkipReason::kNone;
  }

  SkipReason Kind(dom::object status, std::string_view& failed) {
    if (!Wants(PostField::kKind) && !Wants(PostField::kRefId)) return SkipReason::kNone;
    if (const auto retweeted = FindObject(status, "retweeted_status")) {
      Put(PostField::kKind, "retweet");
      return Id(PostField::kRefId, *retweeted, "id_str", "id", failed);
    }
    const auto quote = Find(status, "is_quote_status");
    if (quote && quote->is_bool() && quote->get_bool().value_unsafe()) {
      Put(PostField::kKind, "quote");
      return Id(PostField::kRefId, status, "quoted_status_id_str", "quoted_status_id", failed);
    }
    if (Find(status, "in_reply_to_status_id_str") || Find(status, "in_reply_to_status_id")) {
      Put(PostField::kKind, "reply");
      return Id(PostField::kRefId, status, "in_reply_to_status_id_str", "in_reply_to_status_id", failed);
    }
    Put(PostField::kKind, "original");
    return SkipReason::kNone;
  }
};

}  // namespace

const Format& XV1Format() {
  static const XFormat format(
      "x-v1", "a v1.1 status, one JSON object",
      [](const std::vector<std::string>& names, const ReaderOptions& options) -> std::unique_ptr<EventReader> {
        return std::make_unique<XV1Reader>(names, options);
      });
  return format;
}

}  // namespace tailrace::pipeline::formats
