// The unary methods of the query service for one application, without gRPC: a request message in, a response message or an
// error out.
#pragma once

#include "common/deadline.h"
#include "common/time_range.h"
#include "tailrace/processor/query.h"
#include "tailrace/v1/query.pb.h"

namespace tailrace::grpc_api {

// Thread-safe. `queryable` outlives it.
class QueryHandlers {
 public:
  explicit QueryHandlers(const processor::Queryable& queryable) : queryable_(queryable) {}

  absl::Status Handle(const v1::ListStoresRequest& request, const Deadline& deadline, v1::ListStoresResponse* response) const;
  absl::Status Handle(const v1::GetRequest& request, const Deadline& deadline, v1::GetResponse* response) const;
  absl::Status Handle(const v1::FetchWindowsRequest& request, const Deadline& deadline,
                      v1::FetchWindowsResponse* response) const;
  absl::Status Handle(const v1::ScanRequest& request, const Deadline& deadline, v1::ScanResponse* response) const;
  absl::Status Handle(const v1::ListKeysRequest& request, const Deadline& deadline, v1::ListKeysResponse* response) const;
  absl::Status Handle(const v1::TopRequest& request, const Deadline& deadline, v1::TopResponse* response) const;
  absl::Status Handle(const v1::DescribeTopologyRequest& request, const Deadline& deadline,
                      v1::DescribeTopologyResponse* response) const;
  absl::Status Handle(const v1::ListTasksRequest& request, const Deadline& deadline, v1::ListTasksResponse* response) const;

 private:
  const processor::Queryable& queryable_;
};

// What ListApplications says of one application.
void SetApplication(v1::Application* out, const processor::Queryable& queryable, bool caught_up);

// The hashes that page tokens of these reads are bound to; a gateway that merges pages of several workers makes the same.
uint64_t ScanHash(std::string_view store, const TimeRange& range, std::string_view key_prefix = {});
uint64_t ListKeysHash(std::string_view store, const TimeRange& range, std::string_view positive_field);

}  // namespace tailrace::grpc_api
