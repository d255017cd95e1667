// Certificate files as an OpenSSL context.
#pragma once

#include <openssl/ssl.h>

#include <memory>

#include "tailrace/grpc_api/tls.h"

namespace tailrace::grpc_api {

// Shared with the connections that were made from it.
using SslContext = std::shared_ptr<SSL_CTX>;

// Reads the files and checks that they fit together. TLS 1.2 is the oldest version that the context speaks.
// Errors as in tls.h.
absl::StatusOr<SslContext> LoadServerTls(const TlsOptions& options);

// A server's context, loaded again when a file has been replaced. Not thread-safe.
class ServerTls {
 public:
  static absl::StatusOr<std::unique_ptr<ServerTls>> Open(TlsOptions options);

  // Looks at the files (not into them) at every call. Where new ones cannot be used the old context stays, and the log says why.
  const SslContext& Current();

 private:
  explicit ServerTls(TlsOptions options) : options_(std::move(options)) {}

  const TlsOptions options_;
  std::string seen_;  // which files were loaded or found unusable last
  SslContext context_;
};

}  // namespace tailrace::grpc_api
