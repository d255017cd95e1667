// TLS of the query service and of its clients, in gRPC's terms. The only file that knows gRPC's certificate providers.
#pragma once

#include <memory>

#include "tailrace/grpc_api/tls.h"

namespace grpc {
class ChannelCredentials;
class ServerCredentials;
}  // namespace grpc

namespace tailrace::grpc_api {

// Shared by what gRPC makes of them. Without TLS in the options: plain ones.
absl::StatusOr<std::shared_ptr<grpc::ServerCredentials>> ServerCredentialsOf(const TlsOptions& options);
absl::StatusOr<std::shared_ptr<grpc::ChannelCredentials>> ChannelCredentialsOf(const TlsOptions& options);

}  // namespace tailrace::grpc_api
