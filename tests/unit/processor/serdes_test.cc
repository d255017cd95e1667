// Goal: every serde writes the bytes of Kafka's serializer of that name, and reads nothing else.
// Method: vectors printed by the serializers of kafka-clients 4.3.1.
#include "tailrace/processor/serdes.h"

#include "gtest/gtest.h"
#include "tailrace/base/bytes.h"
#include "tailrace/processor/json_serde.h"
#include "tailrace/processor/protobuf_serde.h"

namespace tailrace::processor {
namespace {

using std::string;

template <class T, class S = DefaultSerde<T>>
string Hex(const T& value, const S& serde = {}) {
  string scratch;
  return base::HexEncode(serde.Serialize(value, scratch));
}
template <class T, class S = DefaultSerde<T>>
std::optional<T> Back(const T& value, const S& serde = {}) {
  string scratch;
  T read{};
  return serde.Deserialize(string(serde.Serialize(value, scratch)), read) ? std::optional(read) : std::nullopt;
}

const Uuid kUuid = *Uuid::Parse("123e4567-E89B-12d3-a456-426614174000");

TEST(Serdes, PlainTypesHaveKafkasBytes) {
  EXPECT_EQ(Hex(true), "01");
  EXPECT_EQ(Hex(int16_t{-2}), "fffe");
  EXPECT_EQ(Hex(int32_t{7}), "00000007");
  EXPECT_EQ(Hex(int64_t{60'000}), "000000000000ea60");
  EXPECT_EQ(Hex(1.5f), "3fc00000");
  EXPECT_EQ(Hex(-2.25), "c002000000000000");
  EXPECT_EQ(Hex(std::vector<uint8_t>{0, 255}), "00ff");
  EXPECT_EQ(Hex(kUuid), "31323365343536372d653839622d313264332d613435362d343236363134313734303030");
}

TEST(Serdes, PlainTypesComeBackAndOtherSizesAreRefused) {
  EXPECT_EQ(Back(false), false);
  EXPECT_EQ(Back(int16_t{-2}), int16_t{-2});
  EXPECT_EQ(Back(1.5f), 1.5f);
  EXPECT_EQ(Back(kUuid), kUuid);
  EXPECT_EQ(Back(std::vector<uint8_t>{1, 2}), (std::vector<uint8_t>{1, 2}));
  bool flag = false;
  EXPECT_FALSE(BoolSerde().Deserialize("\2", flag));
  int16_t number = 0;
  EXPECT_FALSE(IntegerSerde<int16_t>().Deserialize("abc", number));
  Uuid uuid;
  EXPECT_FALSE(UuidSerde().Deserialize("123e4567-e89b-12d3-a456-42661417400g", uuid));
}

TEST(Serdes, ListsHaveListSerializersBytes) {
  using Ints = std::vector<std::optional<int32_t>>;
  using Texts = std::vector<std::optional<string>>;
  EXPECT_EQ(Hex(Ints{1, std::nullopt, 3}), "000000000100000001000000030000000100000003");
  EXPECT_EQ(Hex(Texts{"a", std::nullopt, "bc"}), "01000000030000000161ffffffff000000026263");
  EXPECT_EQ(Hex(std::vector<int64_t>{}), "000000000000000000");
  EXPECT_EQ(Hex(std::vector<Uuid>{kUuid}),
            "00000000000000000131323365343536372d653839622d313264332d613435362d343236363134313734303030");
  EXPECT_EQ(Back(Ints{1, std::nullopt, 3}), (Ints{1, std::nullopt, 3}));
  EXPECT_EQ(Back(Texts{"a", std::nullopt, "bc"}), (Texts{"a", std::nullopt, "bc"}));
  EXPECT_EQ(Back(std::vector<string>{"x", ""}), (std::vector<string>{"x", ""}));
}

TEST(Serdes, ACutOrForeignListIsNone) {
  string scratch;
  const string bytes(DefaultSerde<std::vector<string>>().Serialize(std::vector<string>{"ab", "c"}, scratch));
  std::vector<string> list;
  for (size_t size = 0; size < bytes.size(); ++size)
    EXPECT_FALSE(DefaultSerde<std::vector<string>>().Deserialize(bytes.substr(0, size), list)) << size;
  std::vector<int32_t> numbers;
  EXPECT_FALSE(DefaultSerde<std::vector<int32_t>>().Deserialize(bytes, numbers));
  EXPECT_FALSE(DefaultSerde<std::vector<string>>().Deserialize(string("\1\0\0\0\1\xff\xff\xff\xff", 9), list)) << "a null item";
}

TEST(Serdes, WindowedKeysOfTimeWindowsAndSessions) {
  const Windowed<string> window{"alice", 60'000, 90'000};
  const TimeWindowedSerde<StringSerde> time{.key_serde = {}, .window_size_ms = 30'000};
  EXPECT_EQ(Hex(window, time), "616c696365000000000000ea60");
  EXPECT_EQ(Back(window, time), window);
  const SessionWindowedSerde<StringSerde> session;
  EXPECT_EQ(Hex(window, session), "616c6963650000000000015f90000000000000ea60");
  EXPECT_EQ(Back(window, session), window);
  Windowed<string> last;
  ASSERT_TRUE(time.Deserialize(string("\x7f\xff\xff\xff\xff\xff\xff\xff", 8), last));
  EXPECT_EQ(last.end_ms, std::numeric_limits<int64_t>::max());
}

struct Order {
  string id;
  double total = 0;
  friend bool operator==(const Order&, const Order&) = default;
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(Order, id, total)

TEST(Serdes, JsonOfATypeAndOfADocument) {
  const JsonSerde<Order> serde;
  EXPECT_EQ(Back(Order{"a", 2.5}, serde), (Order{"a", 2.5}));
  Order order;
  EXPECT_FALSE(serde.Deserialize("{\"id\":1}", order));
  EXPECT_FALSE(serde.Deserialize("{", order));
  nlohmann::json document;
  EXPECT_TRUE(JsonSerde<>().Deserialize("[1,2]", document));
  EXPECT_EQ(document[1], 2);
}

// What protobuf generates, as far as the serde looks.
struct Message {
  string text;
  bool SerializeToString(string* out) const { return *out = "m:" + text, true; }
  bool ParseFromArray(const void* data, int size) {
    const std::string_view bytes(static_cast<const char*>(data), static_cast<size_t>(size));
    if (!bytes.starts_with("m:")) return false;
    text = bytes.substr(2);
    return true;
  }
};

TEST(Serdes, ProtobufMessagesNeedOnlyTheirTwoFunctions) {
  string scratch;
  Message read;
  ASSERT_TRUE(ProtobufSerde<Message>().Deserialize(ProtobufSerde<Message>().Serialize({"x"}, scratch), read));
  EXPECT_EQ(read.text, "x");
  EXPECT_FALSE(ProtobufSerde<Message>().Deserialize("other", read));
  static_assert(SerdeFor<ProtobufSerde<Message>, Message>);
}

}  // namespace
}  // namespace tailrace::processor
