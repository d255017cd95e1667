// What each client is configured with: our defaults, then what the user asked for, then what correctness demands.
#pragma once

#include <map>
#include <string>

#include "tailrace/kafka/cluster.h"
#include "tailrace/kafka/membership.h"

namespace tailrace::kafka::rdkafka {

using Settings = std::map<std::string, std::string>;

// The user's client properties per role, and the group that they belong to.
struct RoleSettings {
  std::string application_id;
  Settings main_consumer;
  Settings restore_consumer;
  Settings producer;
  Settings consumer;  // of the membership
  Settings admin;
};

Settings ConsumerSettings(const RoleSettings& roles, const ConsumerOptions& options);
Settings ProducerSettings(const RoleSettings& roles, const ProducerOptions& options);
Settings MembershipSettings(const RoleSettings& roles, const MembershipOptions& options);
Settings AdminSettings(const RoleSettings& roles);

// How long calls wait that have no time of their own, from the user's settings.
int DeliveryTimeoutMs(const Settings& producer);
int TransactionTimeoutMs(const Settings& producer);

}  // namespace tailrace::kafka::rdkafka
