// Goal: the hash of Kafka Streams' foreign-key joins. Method: what org.apache.kafka.streams.state.internals.Murmur3 gives.
#include "tailrace/base/murmur3.h"

#include "gtest/gtest.h"

namespace tailrace::base {
namespace {

TEST(Murmur3, HashesAsKafkaStreamsDoes) {
  struct Vector {
    const char* text;
    int64_t first;
    int64_t second;
  };
  for (const auto& [text, first, second] : {
           Vector{"", -7122613646888064702, -8341524471658347240},
           Vector{"21", -1045175892060202657, -6196245913608550939},
           Vector{"foobar", -1926091222759195742, 2201308245896195406},
           Vector{"a-little-bit-long-string", 5417698818280943022, 3147161311007288976},
           Vector{"a-little-bit-longer-string", -9104688182850110877, 769208487401143056},
           Vector{"lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -4021448441249083453, 6290205124114177547},
           Vector{"abc", -8302830256874342818, -1638537471643095488},
       }) {
    const auto hash = Murmur3Hash128(text);
    EXPECT_EQ(static_cast<int64_t>(hash[0]), first) << text;
    EXPECT_EQ(static_cast<int64_t>(hash[1]), second) << text;
  }
}

}  // namespace
}  // namespace tailrace::base
