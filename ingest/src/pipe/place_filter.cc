#include "pipe/place_filter.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "nlohmann/json.hpp"
#include "tailrace/base/ingest_limits.h"
#include "tailrace/base/murmur2.h"
#include "tailrace/pipeline/post.h"

namespace tailrace::ingest {
namespace {

using nlohmann::json;
using pipeline::PostField;

constexpr double kLongitudeMax = 180;
constexpr double kLatitudeMax = 90;

bool Between(double low, double value, double high) { return low <= value && value <= high; }

// The parts of a range of longitudes on this side of the date line.
std::vector<std::pair<double, double>> Spans(double west, double east) {
  if (west <= east) return {{west, east}};
  return {{west, kLongitudeMax}, {-kLongitudeMax, east}};
}

// Of lists in the configuration: "a, b".
std::vector<std::string> Items(const std::string& text, char separator) {
  std::vector<std::string> items;
  for (const absl::string_view part : absl::StrSplit(text, separator)) {
    std::string item(part);
    absl::StripAsciiWhitespace(&item);
    if (!item.empty()) items.push_back(std::move(item));
  }
  return items;
}

absl::StatusOr<GeoBox> ParseBox(const std::string& text) {
  const std::vector<std::string> parts = Items(text, ',');
  double degrees[4] = {};
  bool good = parts.size() == std::size(degrees);
  for (size_t i = 0; good && i < std::size(degrees); ++i)
    good = absl::SimpleAtod(parts[i], &degrees[i]) && Between(i % 2 == 0 ? -kLongitudeMax : -kLatitudeMax, degrees[i], i % 2 == 0 ? kLongitudeMax : kLatitudeMax);
  if (!good || degrees[1] > degrees[3])
    return base::UsageError(absl::StrCat("ingest.boxes: '", text, "' is not west,south,east,north in degrees, such as -79.64,43.58,-79.12,43.86"));
  return GeoBox{.west = degrees[0], .south = degrees[1], .east = degrees[2], .north = degrees[3]};
}

const json* Member(const json* at, const char* name) {
  if (at == nullptr || !at->is_object()) return nullptr;
  const auto found = at->find(name);
  return found == at->end() ? nullptr : &*found;
}

bool IsNumbers(const json* list, size_t count) {
  return list != nullptr && list->is_array() && list->size() == count &&
         std::all_of(list->begin(), list->end(), [](const json& item) { return item.is_number(); });
}

std::optional<GeoBox> Point(const json* coordinates) {
  const json* pair = Member(coordinates, "coordinates");
  if (!IsNumbers(pair, 2)) return std::nullopt;
  const double longitude = (*pair)[0].get<double>();
  const double latitude = (*pair)[1].get<double>();
  return GeoBox{.west = longitude, .south = latitude, .east = longitude, .north = latitude};
}

// v1.1: {"bounding_box":{"coordinates":[[[lon,lat],...]]}}
std::optional<GeoBox> Around(const json* place) {
  const json* rings = Member(Member(place, "bounding_box"), "coordinates");
  if (rings == nullptr || !rings->is_array() || rings->empty() || !rings->front().is_array() || rings->front().empty()) return std::nullopt;
  std::optional<GeoBox> box;
  for (const json& corner : rings->front()) {
    if (!IsNumbers(&corner, 2)) return std::nullopt;
    const double longitude = corner[0].get<double>();
    const double latitude = corner[1].get<double>();
    if (!box) box = GeoBox{longitude, latitude, longitude, latitude};
    box->west = std::min(box->west, longitude);
    box->east = std::max(box->east, longitude);
    box->south = std::min(box->south, latitude);
    box->north = std::max(box->north, latitude);
  }
  return box;
}

// v2: includes.places[].geo.bbox of the post's place.
std::optional<GeoBox> OfPlace(const json& line, const json* geo) {
  const json* id = Member(geo, "place_id");
  const json* places = Member(Member(&line, "includes"), "places");
  if (id == nullptr || places == nullptr || !places->is_array()) return std::nullopt;
  for (const json& place : *places) {
    const json* place_id = Member(&place, "id");
    if (place_id == nullptr || *place_id != *id) continue;
    const json* box = Member(Member(&place, "geo"), "bbox");
    if (!IsNumbers(box, 4)) return std::nullopt;
    return GeoBox{(*box)[0].get<double>(), (*box)[1].get<double>(), (*box)[2].get<double>(), (*box)[3].get<double>()};
  }
  return std::nullopt;
}

bool Contains(const std::vector<std::string>& wanted, const pipeline::FieldValue& value) {
  return value.type() == pipeline::FieldType::kText && std::find(wanted.begin(), wanted.end(), value.text()) != wanted.end();
}

}  // namespace

bool GeoBox::Overlaps(const GeoBox& other) const {
  if (north < other.south || other.north < south) return false;
  for (const auto& [w, e] : Spans(west, east))
    for (const auto& [other_w, other_e] : Spans(other.west, other.east))
      if (w <= other_e && other_w <= e) return true;
  return false;
}

std::optional<GeoBox> FindGeoBox(std::string_view piece) {
  json line = json::parse(piece, nullptr, false);
  if (line.is_string()) line = json::parse(line.get_ref<const std::string&>(), nullptr, false);
  if (const json* data = Member(&line, "data")) {
    const json* geo = Member(data, "geo");
    if (const auto point = Point(Member(geo, "coordinates"))) return point;
    return OfPlace(line, geo);
  }
  if (const auto point = Point(Member(&line, "coordinates"))) return point;
  return Around(Member(&line, "place"));
}

absl::StatusOr<PlaceFilterOptions> PlaceFilterFrom(const base::Config& config) {
  PlaceFilterOptions options;
  const std::vector<std::string> boxes = Items(config.String("ingest.boxes"), ';');
  options.countries = Items(config.String("ingest.countries"), ',');
  options.place_types = Items(config.String("ingest.place.types"), ',');
  if (boxes.size() > base::limits::kSourceListMax) return base::UsageError(absl::StrCat("ingest.boxes: more than ", base::limits::kSourceListMax));
  for (const std::string& box : boxes) {
    TAILRACE_ASSIGN_OR_RETURN(options.boxes.emplace_back(), ParseBox(box));
  }
  options.require_place = config.Bool("ingest.require.place");
  const std::vector<std::string> share = Items(config.String("ingest.shard"), '/');
  if (!share.empty() && (share.size() != 2 || !absl::SimpleAtoi(share[0], &options.shard) || !absl::SimpleAtoi(share[1], &options.shards) ||
                         options.shard < 0 || options.shards < 1 || options.shard >= options.shards))
    return base::UsageError(absl::StrCat("ingest.shard: '", config.String("ingest.shard"), "' is not like 0/4, the first of four"));
  options.shard_by_country = config.String("ingest.shard.by") == "country";
  return options;
}

const char* PlaceFilter::RefusalOf(pipeline::Event post, std::string_view piece) const {
  if (!options_.asks_for_places()) return nullptr;
  const auto field = [&](PostField slot) -> const pipeline::FieldValue& { return post[static_cast<size_t>(slot)]; };
  const bool somewhere = !field(PostField::kPlaceFullName).is_null();
  if (!somewhere && (options_.require_place || !options_.countries.empty() || !options_.place_types.empty())) return "no_place";
  if (!options_.countries.empty() && !Contains(options_.countries, field(PostField::kPlaceCountryCode))) return "other_country";
  if (!options_.place_types.empty() && !Contains(options_.place_types, field(PostField::kPlaceType))) return "other_place_type";
  if (options_.boxes.empty()) return nullptr;
  const std::optional<GeoBox> box = FindGeoBox(piece);
  if (!box) return "no_coordinates";
  const bool inside = std::any_of(options_.boxes.begin(), options_.boxes.end(), [&](const GeoBox& wanted) { return wanted.Overlaps(*box); });
  return inside ? nullptr : "outside_boxes";
}

bool PlaceFilter::IsMine(std::string_view key, std::string_view country) const {
  if (options_.shards == 1) return true;
  return base::PartitionForKey(options_.shard_by_country ? country : key, options_.shards).value() == options_.shard;
}

}  // namespace tailrace::ingest
