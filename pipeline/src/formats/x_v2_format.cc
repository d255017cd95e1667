#include <string>

#include "formats/builtin.h"
#include "formats/x_format.h"

namespace tailrace::pipeline::formats {
namespace {

namespace dom = simdjson::dom;

// The element of includes.<list> whose "id" is `id`.
std::optional<dom::object> FindIncluded(dom::object includes, std::string_view list, std::string_view id) {
  const auto found = Find(includes, list);
  dom::array array;
  if (!found || found->get_array().get(array) != simdjson::SUCCESS) return std::nullopt;
  for (const dom::element item : array) {
    dom::object object;
    if (item.get_object().get(object) != simdjson::SUCCESS) continue;
    const auto item_id = Find(object, "id");
    if (item_id && item_id->is_string() && item_id->get_string().value_unsafe() == id) return object;
  }
  return std::nullopt;
}

std::optional<std::string_view> TextOf(dom::object object, std::string_view key) {
  const auto found = Find(object, key);
  if (!found || !found->is_string()) return std::nullopt;
  return found->get_string().value_unsafe();
}

// A line of the filtered stream: {"data":{...},"includes":{...}}, or a JSON string that holds that.
class XV2Reader final : public PostReader {
 public:
  XV2Reader(const std::vector<std::string>& names, const ReaderOptions& options) : PostReader(names, options) {}

 private:
  SkipReason Unwrap(dom::element root, dom::object& object) override {
    if (root.is_string()) {
      dom::element inner;
      TAILRACE_SKIP_UNLESS_NONE(inner_.Parse(root.get_string().value_unsafe(), inner));
      root = inner;
    }
    return root.get_object().get(object) == simdjson::SUCCESS ? SkipReason::kNone : SkipReason::kNotAnObject;
  }

  SkipReason Fill(dom::object line, std::string_view& failed) override {
    const auto found = Find(line, "data");
    if (!found) {
      failed = "data";
      return SkipReason::kMissingField;
    }
    dom::object data;
    if (found->get_object().get(data) != simdjson::SUCCESS) {
      failed = "data";
      return SkipReason::kWrongType;
    }
    const std::optional<dom::object> includes = FindObject(line, "includes");
    TAILRACE_SKIP_UNLESS_NONE(Take(PostField::kId, data, "id", Conversion::kText, failed));
    TAILRACE_SKIP_UNLESS_NONE(Take(PostField::kCreatedAt, data, "created_at", Conversion::kTimestamp, failed));
    TAILRACE_SKIP_UNLESS_NONE(Take(PostField::kText, data, "text", Conversion::kText, failed));
    TAILRACE_SKIP_UNLESS_NONE(Take(PostField::kLang, data, "lang", Conversion::kText, failed));
    TAILRACE_SKIP_UNLESS_NONE(Author(data, includes, failed));
    TAILRACE_SKIP_UNLESS_NONE(Place(data, includes, failed));
    TAILRACE_SKIP_UNLESS_NONE(Kind(data, failed));
    if (const auto metrics = FindObject(data, "public_metrics")) {
      TAILRACE_SKIP_UNLESS_NONE(Take(PostField::kRetweetCount, *metrics, "retweet_count", Conversion::kInt, failed));
      TAILRACE_SKIP_UNLESS_NONE(Take(PostField::kFavoriteCount, *metrics, "like_count", Conversion::kInt, failed));
    }
    if (const auto entities = FindObject(data, "entities")) {
      TAILRACE_SKIP_UNLESS_NONE(Take(PostField::kHashtags, *entities, "hashtags", Conversion::kTextList, failed, "tag"));
    }
    Put(PostField::kSource, "x-v2");
    return SkipReason::kNone;
  }

  SkipReason Author(dom::object data, const std::optional<dom::object>& includes, std::string_view& failed) {
    TAILRACE_SKIP_UNLESS_NONE(Take(PostField::kAuthorId, data, "author_id", Conversion::kText, failed));
    const bool name_wanted = Wants(PostField::kAuthorName);
    const bool id_missing = Wants(PostField::kAuthorId) && IsNull(PostField::kAuthorId);
    if (!includes || (!name_wanted && !id_missing)) return SkipReason::kNone;
    std::optional<dom::object> user;
    if (const auto id = TextOf(data, "author_id")) {
      user = FindIncluded(*includes, "users", *id);
    } else {
      // Without the id in the data, the expansion lists the author first.
      const auto users = Find(*includes, "users");
      dom::object first;
      if (users && users->at_pointer("/0").get_object().get(first) == simdjson::SUCCESS) user = first;
    }
    if (!user) return SkipReason::kNone;
    if (id_missing) TAILRACE_SKIP_UNLESS_NONE(Take(PostField::kAuthorId, *user, "id", Conversion::kText, failed));
    if (const auto name = TextOf(*user, "username")) {
      Put(PostField::kAuthorName, *name);
    } else if (const auto shown = TextOf(*user, "name")) {
      Put(PostField::kAuthorName, *shown);
    }
    return SkipReason::kNone;
  }

  SkipReason Place(dom::object data, const std::optional<dom::object>& includes, std::string_view& failed) {
    if (!WantsPlace()) return SkipReason::kNone;
    const auto geo = FindObject(data, "geo");
    const auto id = geo ? TextOf(*geo, "place_id") : std::nullopt;
    if (!id) return SkipReason::kNone;
    Put(PostField::kPlaceId, *id);
    const auto place = includes ? FindIncluded(*includes, "places", *id) : std::nullopt;
    return place ? TakePlace(*place, failed) : SkipReason::kNone;
  }

  // Of several references a retweet counts before a quote, and a quote before a reply.
  SkipReason Kind(dom::object data, std::string_view& failed) {
    if (!Wants(PostField::kKind) && !Wants(PostField::kRefId)) return SkipReason::kNone;
    static constexpr std::pair<std::string_view, std::string_view> kKinds[] = {
        {"retweeted", "retweet"}, {"quoted", "quote"}, {"replied_to", "reply"}};
    size_t best = std::size(kKinds);
    std::string_view reference;
    if (const auto found = Find(data, "referenced_tweets")) {
      dom::array array;
      if (found->get_array().get(array) != simdjson::SUCCESS) {
        failed = "referenced_tweets";
        return SkipReason::kWrongType;
      }
      for (const dom::element item : array) {
        dom::object object;
        if (item.get_object().get(object) != simdjson::SUCCESS) continue;
        const auto type = TextOf(object, "type");
        for (size_t i = 0; type && i < best; ++i) {
          if (*type != kKinds[i].first) continue;
          best = i;
          reference = TextOf(object, "id").value_or("");
        }
      }
    }
    Put(PostField::kKind, best < std::size(kKinds) ? kKinds[best].second : "original");
    if (!reference.empty()) Put(PostField::kRefId, reference);
    return SkipReason::kNone;
  }

  JsonDocument inner_;
};

}  // namespace

const Format& XV2Format() {
  static const XFormat format(
      "x-v2", "a line of the X API v2 filtered stream, plain or as a JSON string",
      [](const std::vector<std::string>& names, const ReaderOptions& options) -> std::unique_ptr<EventReader> {
        return std::make_unique<XV2Reader>(names, options);
      });
  return format;
}

}  // namespace tailrace::pipeline::formats
