// Workers and a gateway in one process, for tests over loopback.
#pragma once

#include <gtest/gtest.h>
#include <poll.h>

#include <functional>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "support/fake_queryable.h"
#include "tailrace/grpc_api/query_server.h"

namespace tailrace::testing {

// True when `condition` becomes true within the timeout.
inline bool Eventually(const std::function<bool()>& condition, int timeout_ms = 10'000) {
  for (int waited = 0; waited < timeout_ms; waited += 10) {
    if (condition()) return true;
    ::poll(nullptr, 0, 10);
  }
  return condition();
}

// Some fake workers, each with its own query server, that share one application's partitions.
class FakeCluster {
 public:
  FakeCluster(size_t workers, int32_t partitions) : partitions_(partitions) {
    for (size_t i = 0; i < workers; ++i) {
      Worker worker;
      worker.queryable = std::make_unique<FakeQueryable>(partitions, "worker-" + std::to_string(i));
      workers_.push_back(std::move(worker));
      StartServer(i);
    }
    for (int32_t p = 0; p < partitions; ++p) owners_.push_back(static_cast<size_t>(p) % workers);
    Publish();
  }

  FakeQueryable& worker(size_t i) { return *workers_[i].queryable; }
  FakeQueryable& OwnerOf(const std::string& key) { return worker(owners_[static_cast<size_t>(worker(0).PartitionOf(key))]); }
  size_t OwnerIndexOf(const std::string& key) { return owners_[static_cast<size_t>(worker(0).PartitionOf(key))]; }
  // Streams from workers that miss no further change. A worker has subscribed to its store a moment before the stream is one.
  size_t subscriber_count() const {
    size_t count = 0;
    for (const Worker& worker : workers_) count += worker.server->subscriber_count();
    return count;
  }
  std::string endpoint(size_t i) const { return "127.0.0.1:" + std::to_string(workers_[i].port); }
  std::vector<std::string> endpoints() const {
    std::vector<std::string> all;
    for (size_t i = 0; i < workers_.size(); ++i) all.push_back(endpoint(i));
    return all;
  }
  // Every copy gets the value, so that a standby or a new owner has it too.
  void Put(const std::string& city, int64_t start_ms, const CityValue& value) {
    for (Worker& worker : workers_) worker.queryable->Put(city, start_ms, value);
  }
  void PutTotal(const std::string& key, const std::string& value) {
    for (Worker& worker : workers_) worker.queryable->PutTotal(key, value);
  }
  void SetRetentionStart(int64_t ms) {
    for (Worker& worker : workers_) worker.queryable->SetRetentionStart(ms);
  }
  // `standby` also holds what `active` holds, and this many ms behind.
  void SetStandby(size_t active, size_t standby, int64_t staleness_ms) {
    standbys_[active] = {standby, staleness_ms};
    Publish();
  }
  void MoveAll(size_t from, size_t to, bool publish = true) {
    for (size_t& owner : owners_) {
      if (owner == from) owner = to;
    }
    Hold();
    if (publish) Publish();
  }
  void Publish() {
    Hold();
    processor::RoutingTable table;
    table.epoch = ++epoch_;
    for (size_t i = 0; i < workers_.size(); ++i) {
      processor::WorkerRoute route{"worker-" + std::to_string(i), endpoint(i), {}, {}};
      for (int32_t p = 0; p < partitions_; ++p) {
        const size_t owner = owners_[static_cast<size_t>(p)];
        if (owner == i) route.active.push_back({0, base::Partition(p)});
        const auto standby = standbys_.find(owner);
        if (standby != standbys_.end() && standby->second.first == i) route.standby.push_back({0, base::Partition(p)});
      }
      table.workers.push_back(std::move(route));
    }
    for (Worker& worker : workers_) worker.queryable->SetRouting(table);
  }
  void StopServer(size_t i) { workers_[i].server.reset(); }
  // On the port it had before, when it had one.
  void StartServer(size_t i) {
    Worker& worker = workers_[i];
    worker.server = std::make_unique<grpc_api::QueryServer>(
        grpc_api::QueryServerOptions{.listen = "127.0.0.1:" + std::to_string(worker.port), .health_interval_ms = 20},
        *worker.queryable);
    const absl::Status started = worker.server->Start();
    ASSERT_TRUE(started.ok()) << started;
    worker.port = worker.server->port();
  }

 private:
  struct Worker {
    std::unique_ptr<FakeQueryable> queryable;
    std::unique_ptr<grpc_api::QueryServer> server;
    int port = 0;
  };
  void Hold() {
    for (size_t i = 0; i < workers_.size(); ++i) {
      std::set<int32_t> active, standby;
      int64_t staleness_ms = 0;
      for (int32_t p = 0; p < partitions_; ++p) {
        const size_t owner = owners_[static_cast<size_t>(p)];
        if (owner == i) active.insert(p);
        const auto found = standbys_.find(owner);
        if (found == standbys_.end() || found->second.first != i) continue;
        standby.insert(p);
        staleness_ms = found->second.second;
      }
      workers_[i].queryable->SetHeld(active, standby, staleness_ms);
    }
  }

  const int32_t partitions_;
  std::vector<Worker> workers_;
  std::vector<size_t> owners_;
  std::map<size_t, std::pair<size_t, int64_t>> standbys_;
  int64_t epoch_ = 0;
};

}  // namespace tailrace::testing
