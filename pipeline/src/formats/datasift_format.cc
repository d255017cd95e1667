#include "formats/builtin.h"
#include "formats/x_format.h"

namespace tailrace::pipeline::formats {
namespace {

namespace dom = simdjson::dom;

// An interaction: what all networks share is below `interaction`, what only this one has below `twitter`.
class DatasiftReader final : public PostReader {
 public:
  DatasiftReader(const std::vector<std::string>& names, const ReaderOptions& options) : PostReader(names, options) {}

 private:
  SkipReason Fill(dom::object line, std::string_view& failed) override {
    if (IsTrue(line, "deleted")) return SkipReason::kDeleteNotice;
    const auto found = Find(line, "interaction");
    if (!found) {
      // Ticks and connection messages say so by their status.
      if (Find(line, "status")) return SkipReason::kControlFrame;
      failed = "interaction";
      return SkipReason::kMissingField;
    }
    dom::object interaction;
    if (found->get_object().get(interaction) != simdjson::SUCCESS) {
      failed = "interaction";
      return SkipReason::kWrongType;
    }
    TAILRACE_SKIP_UNLESS_NONE(Take(PostField::kId, interaction, "id", Conversion::kId, failed));
    TAILRACE_SKIP_UNLESS_NONE(Take(PostField::kCreatedAt, interaction, "created_at", Conversion::kTimestamp, failed));
    TAILRACE_SKIP_UNLESS_NONE(Take(PostField::kText, interaction, "content", Conversion::kText, failed));
    TAILRACE_SKIP_UNLESS_NONE(Take(PostField::kHashtags, interaction, "hashtags", Conversion::kTextList, failed));
    if (const auto author = FindObject(interaction, "author")) {
      TAILRACE_SKIP_UNLESS_NONE(Take(PostField::kAuthorId, *author, "id", Conversion::kId, failed));
      TAILRACE_SKIP_UNLESS_NONE(Take(PostField::kAuthorName, *author, "username", Conversion::kText, failed));
      if (IsNull(PostField::kAuthorName)) {
        TAILRACE_SKIP_UNLESS_NONE(Take(PostField::kAuthorName, *author, "name", Conversion::kText, failed));
      }
    }
    if (const auto language = FindObject(line, "language")) {
      TAILRACE_SKIP_UNLESS_NONE(Take(PostField::kLang, *language, "tag", Conversion::kText, failed));
    }
    Put(PostField::kKind, "original");
    if (const auto twitter = FindObject(line, "twitter")) TAILRACE_SKIP_UNLESS_NONE(Network(*twitter, failed));
    Put(PostField::kSource, "datasift");
    return SkipReason::kNone;
  }

  SkipReason Network(dom::object twitter, std::string_view& failed) {
    if (const auto place = FindObject(twitter, "place"); place && WantsPlace()) {
      TAILRACE_SKIP_UNLESS_NONE(TakePlace(*place, failed));
    }
    if (const auto retweet = FindObject(twitter, "retweet")) {
      Put(PostField::kKind, "retweet");
      TAILRACE_SKIP_UNLESS_NONE(Take(PostField::kRetweetCount, *retweet, "count", Conversion::kInt, failed));
      const auto retweeted = FindObject(twitter, "retweeted");
      return retweeted ? Take(PostField::kRefId, *retweeted, "id", Conversion::kId, failed) : SkipReason::kNone;
    }
    if (!Find(twitter, "in_reply_to_status_id")) return SkipReason::kNone;
    Put(PostField::kKind, "reply");
    return Take(PostField::kRefId, twitter, "in_reply_to_status_id", Conversion::kId, failed);
  }

  static bool IsTrue(dom::object object, std::string_view key) {
    const auto found = Find(object, key);
    return found && found->is_bool() && found->get_bool().value_unsafe();
  }
};

}  // namespace

const Format& DatasiftFormat() {
  static const XFormat format(
      "datasift", "an interaction, one JSON object",
      [](const std::vector<std::string>& names, const ReaderOptions& options) -> std::unique_ptr<EventReader> {
        return std::make_unique<DatasiftReader>(names, options);
      });
  return format;
}

}  // namespace tailrace::pipeline::formats
