// Which posts a connector lets through: by place, and by its share of the regions.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tailrace/base/config.h"
#include "tailrace/base/status.h"
#include "tailrace/pipeline/event.h"

namespace tailrace::ingest {

// Degrees. A box whose west is greater than its east crosses the date line.
struct GeoBox {
  double west = 0;
  double south = 0;
  double east = 0;
  double north = 0;
  bool Overlaps(const GeoBox& other) const;
};

struct PlaceFilterOptions {
  std::vector<GeoBox> boxes;
  std::vector<std::string> countries;    // "CA"
  std::vector<std::string> place_types;  // "city"
  bool require_place = false;
  // Of `shards` connectors this one takes share `shard`: every record goes to exactly one of them.
  int shard = 0;
  int shards = 1;
  bool shard_by_country = false;  // otherwise by the record's key

  bool asks_for_places() const { return !boxes.empty() || !countries.empty() || !place_types.empty() || require_place; }
};

// From ingest.* keys. Errors: usage, naming the key.
absl::StatusOr<PlaceFilterOptions> PlaceFilterFrom(const base::Config& config);

// Not thread-safe.
class PlaceFilter {
 public:
  explicit PlaceFilter(PlaceFilterOptions options) : options_(std::move(options)) {}

  // Null: let it through; otherwise why not, as a label of metrics. `post` has the slots of PostField; `piece` is the text
  // that it was read from, where its coordinates are: its own point, or else the box of its place.
  const char* RefusalOf(pipeline::Event post, std::string_view piece) const;
  // Whether a record with this key (none: "") and country belongs to this connector's share.
  bool IsMine(std::string_view key, std::string_view country) const;
  const PlaceFilterOptions& options() const { return options_; }

 private:
  const PlaceFilterOptions options_;
};

// Where a post in one of the layouts of X was written; nullopt when it does not say.
std::optional<GeoBox> FindGeoBox(std::string_view piece);

}  // namespace tailrace::ingest
