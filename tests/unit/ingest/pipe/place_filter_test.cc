#include "pipe/place_filter.h"

#include "support.h"

namespace tailrace::ingest {
namespace {

absl::StatusOr<PlaceFilterOptions> From(const char* key, const char* value) { return PlaceFilterFrom(base::Config().With(key, value)); }

TEST(GeoBox, OverlapsAlsoAcrossTheDateLine) {
  const GeoBox toronto{-79.64, 43.58, -79.12, 43.86};
  EXPECT_TRUE(toronto.Overlaps({-79.4, 43.7, -79.4, 43.7}));
  EXPECT_TRUE(toronto.Overlaps({-79.64, 43.86, -79.64, 43.86})) << "the edge belongs to it";
  EXPECT_TRUE(toronto.Overlaps({-141, 41, -52, 84})) << "a country around it";
  EXPECT_FALSE(toronto.Overlaps({-79.0, 43.7, -78.0, 43.8}));
  EXPECT_FALSE(toronto.Overlaps({-79.4, 43.9, -79.3, 44.0}));
  const GeoBox fiji{177, -19, -178, -16};
  EXPECT_TRUE(fiji.Overlaps({179, -17, 179, -17}));
  EXPECT_TRUE(fiji.Overlaps({-179, -17, -179, -17}));
  EXPECT_FALSE(fiji.Overlaps({0, -17, 0, -17}));
}

TEST(FindGeoBox, ThePointOrElseTheBoxOfThePlace) {
  const auto point = FindGeoBox(R"({"data":{"id":"1","geo":{"place_id":"p","coordinates":{"type":"Point","coordinates":[-79.4,43.7]}}}})");
  ASSERT_TRUE(point);
  EXPECT_EQ(point->west, -79.4);
  EXPECT_EQ(point->north, 43.7);
  const auto place = FindGeoBox(R"({"data":{"geo":{"place_id":"p"}},"includes":{"places":[{"id":"o","geo":{"bbox":[1,2,3,4]}},{"id":"p","geo":{"bbox":[5,6,7,8]}}]}})");
  ASSERT_TRUE(place);
  EXPECT_EQ(place->west, 5);
  EXPECT_EQ(place->north, 8);
  const auto quoted = FindGeoBox(R"("{\"data\":{\"geo\":{\"coordinates\":{\"coordinates\":[1,2]}}}}")");
  ASSERT_TRUE(quoted);
  EXPECT_EQ(quoted->south, 2);
  const auto first = FindGeoBox(R"({"id_str":"1","coordinates":null,"place":{"bounding_box":{"coordinates":[[[1,2],[3,2],[3,4],[1,4]]]}}})");
  ASSERT_TRUE(first);
  EXPECT_EQ(first->west, 1);
  EXPECT_EQ(first->east, 3);
  EXPECT_EQ(first->north, 4);
  for (const char* nothing : {"", "{", "[]", "7", R"({"data":7})", R"({"data":{"geo":{"place_id":"p"}},"includes":{"places":[{"id":"p","geo":{"bbox":[1,2,3]}}]}})",
                              R"({"coordinates":{"coordinates":["a","b"]}})", R"({"place":{"bounding_box":{"coordinates":[[]]}}})"})
    EXPECT_FALSE(FindGeoBox(nothing)) << nothing;
}

TEST(PlaceFilterFrom, ReadsAndRefuses) {
  const auto boxes = From("ingest.boxes", "-79.64,43.58,-79.12,43.86; 177,-19,-178,-16");
  ASSERT_TRUE(boxes.ok()) << boxes.status();
  ASSERT_EQ(boxes->boxes.size(), 2u);
  EXPECT_EQ(boxes->boxes[1].east, -178);
  EXPECT_EQ(From("ingest.countries", "CA, US")->countries, (std::vector<std::string>{"CA", "US"}));
  EXPECT_EQ(From("ingest.shard", "3/4")->shard, 3);
  for (const char* bad : {"1,2,3", "1,2,3,4,5", "a,b,c,d", "0,50,1,40", "-181,0,0,1", "0,0,0,91"})
    EXPECT_TRUE(absl::IsInvalidArgument(From("ingest.boxes", bad).status())) << bad;
  for (const char* bad : {"4/4", "-1/4", "1", "1/0", "a/b", "1/2/3"}) EXPECT_TRUE(absl::IsInvalidArgument(From("ingest.shard", bad).status())) << bad;
}

TEST(PlaceFilter, EveryRecordIsInExactlyOneShare) {
  for (const bool by_country : {false, true}) {
    for (int i = 0; i < 1'000; ++i) {
      int takers = 0;
      for (int shard = 0; shard < 7; ++shard)
        takers += PlaceFilter({.shard = shard, .shards = 7, .shard_by_country = by_country}).IsMine(i == 0 ? "" : "key " + std::to_string(i), "C" + std::to_string(i % 20)) ? 1 : 0;
      ASSERT_EQ(takers, 1) << i;
    }
  }
}

}  // namespace
}  // namespace tailrace::ingest
