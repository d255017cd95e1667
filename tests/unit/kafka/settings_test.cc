#include "rdkafka/settings.h"

#include "gtest/gtest.h"
#include "rdkafka/client.h"

namespace tailrace::kafka::rdkafka {
namespace {

RoleSettings Roles() {
  RoleSettings roles;
  roles.application_id = "app";
  for (Settings* role : {&roles.main_consumer, &roles.restore_consumer, &roles.producer, &roles.consumer, &roles.admin}) {
    (*role)["bootstrap.servers"] = "127.0.0.1:1";
  }
  return roles;
}

TEST(SettingsTest, EveryClientCanBeMadeFromItsDefaults) {
  const RoleSettings roles = Roles();
  const MembershipOptions member{.group = "app", .coordination_topic = "app-coordination", .instance_id = "i"};
  for (const Settings& settings :
       {ConsumerSettings(roles, {.client_id = "c"}), ConsumerSettings(roles, {.client_id = "c", .read_committed = true, .restore = true}),
        MembershipSettings(roles, member)}) {
    const auto client = Client::New(RD_KAFKA_CONSUMER, settings, {});
    EXPECT_TRUE(client.ok()) << client.status();
  }
  for (const Settings& settings : {ProducerSettings(roles, {.client_id = "p", .transactional_id = {}}),
                                   ProducerSettings(roles, {.client_id = "p", .transactional_id = "t"}), AdminSettings(roles)}) {
    const auto client = Client::New(RD_KAFKA_PRODUCER, settings, {});
    EXPECT_TRUE(client.ok()) << client.status();
  }
}

TEST(SettingsTest, TheUserWinsOverDefaultsAndNotOverCorrectness) {
  RoleSettings roles = Roles();
  roles.main_consumer["fetch.wait.max.ms"] = "7";
  roles.main_consumer["enable.auto.commit"] = "true";
  roles.main_consumer["isolation.level"] = "read_uncommitted";
  roles.producer["linger.ms"] = "50";
  roles.producer["enable.idempotence"] = "false";
  Settings consumer = ConsumerSettings(roles, {.client_id = "c", .read_committed = true});
  EXPECT_EQ(consumer["fetch.wait.max.ms"], "7");
  EXPECT_EQ(consumer["enable.auto.commit"], "false");
  EXPECT_EQ(consumer["isolation.level"], "read_committed");
  EXPECT_EQ(consumer["group.id"], "app");
  Settings producer = ProducerSettings(roles, {.client_id = "p", .transactional_id = "t", .transaction_timeout_ms = 1234});
  EXPECT_EQ(producer["linger.ms"], "50");
  EXPECT_EQ(producer["enable.idempotence"], "true");
  EXPECT_EQ(producer["transaction.timeout.ms"], "1234");
  EXPECT_EQ(producer["retry.backoff.ms"], "5");
  EXPECT_EQ(producer["partitioner"], "murmur2_random");
}

// Goal: the client properties of a Kafka Streams application can be used as they are.
TEST(SettingsTest, JavaOnlyPropertiesAreDroppedOrRenamed) {
  RoleSettings roles = Roles();
  roles.main_consumer["max.poll.records"] = "1000";
  roles.main_consumer["key.deserializer"] = "org.apache.kafka.common.serialization.StringDeserializer";
  roles.main_consumer["fetch.max.wait.ms"] = "30";
  roles.producer["buffer.memory"] = "1";
  Settings consumer = ConsumerSettings(roles, {.client_id = "c"});
  EXPECT_EQ(consumer["fetch.wait.max.ms"], "30");
  EXPECT_TRUE(Client::New(RD_KAFKA_CONSUMER, consumer, {}).ok());
  EXPECT_TRUE(Client::New(RD_KAFKA_PRODUCER, ProducerSettings(roles, {.client_id = "p", .transactional_id = {}}), {}).ok());
}

TEST(SettingsTest, AWrongSettingIsNamedWithoutItsValue) {
  RoleSettings roles = Roles();
  roles.admin["ssl.key.password"] = "hunter2";
  roles.admin["socket.timeout.ms"] = "hunter2";
  const auto client = Client::New(RD_KAFKA_PRODUCER, AdminSettings(roles), {});
  ASSERT_FALSE(client.ok());
  EXPECT_EQ(base::ReactionOf(client.status()), base::Reaction::kFatal);
  EXPECT_NE(client.status().ToString().find("socket.timeout.ms"), std::string::npos) << client.status();
  EXPECT_EQ(client.status().ToString().find("hunter2"), std::string::npos) << client.status();
}

TEST(SettingsTest, TheDeliveryTimeoutHasTwoNames) {
  EXPECT_EQ(DeliveryTimeoutMs({}), 120'000);
  EXPECT_EQ(DeliveryTimeoutMs({{"delivery.timeout.ms", "5000"}}), 5'000);
  EXPECT_EQ(DeliveryTimeoutMs({{"message.timeout.ms", "7000"}}), 7'000);
}

}  // namespace
}  // namespace tailrace::kafka::rdkafka
