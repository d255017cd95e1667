// Goal: what is written is valid JSON for every input.
#include "gateway/json_writer.h"

#include <gtest/gtest.h>

#include <limits>
#include <nlohmann/json.hpp>

namespace tailrace::grpc_api {
namespace {

TEST(JsonWriter, Nests) {
  JsonWriter json;
  json.BeginObject().Key("a").BeginArray().Int(1).BeginObject().EndObject().Null().EndArray();
  json.Key("b").Bool(true).Key("c").Raw("[2]").EndObject();
  EXPECT_EQ(std::move(json).Take(), R"({"a":[1,{},null],"b":true,"c":[2]})");
}

TEST(JsonWriter, EveryByteStringIsValidJson) {
  for (int byte = 0; byte < 256; ++byte) {
    JsonWriter json;
    json.String(std::string("x") + static_cast<char>(byte) + "y");
    EXPECT_TRUE(nlohmann::json::accept(std::move(json).Take())) << byte;
  }
  JsonWriter json;
  json.String("Montréal \"q\" \\ \n");
  EXPECT_EQ(nlohmann::json::parse(std::move(json).Take()).get<std::string>(), "Montréal \"q\" \\ \n");
}

TEST(JsonWriter, Numbers) {
  const auto number = [](double value) {
    JsonWriter json;
    json.Number(value);
    return std::move(json).Take();
  };
  EXPECT_EQ(number(12), "12");
  EXPECT_EQ(number(-0.5), "-0.5");
  EXPECT_EQ(number(0.1), "0.1");
  EXPECT_EQ(number(std::numeric_limits<double>::infinity()), "null");
  EXPECT_EQ(number(std::numeric_limits<double>::quiet_NaN()), "null");
  EXPECT_EQ(nlohmann::json::parse(number(1e300)).get<double>(), 1e300);
}

}  // namespace
}  // namespace tailrace::grpc_api
