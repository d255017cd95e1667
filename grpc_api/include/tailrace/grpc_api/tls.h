// The certificate files of a server or a client, as configuration keys name them.
//
//   grpc_api::QueryServer server({.listen = "0.0.0.0:9090", .tls = grpc_api::TlsOptionsOf(config, "grpc.ssl.")});
//
// Files are PEM; a key has no pass phrase. They are read again when they change, so that a certificate is replaced without a
// restart: replace each by a rename (as Kubernetes does with a mounted secret), certificate and key together. Files that
// do not fit then are reported in the log; they must be good when a process starts.
// Errors: kInvalidArgument, with the configuration key, the file and what to change. No error or log line has a file's contents.
// Thread-safe: plain values and functions without state.
#pragma once

#include <string>
#include <string_view>

#include "tailrace/base/config.h"
#include "tailrace/base/status.h"

namespace tailrace::grpc_api {

struct TlsOptions {
  // Who this side says it is: the certificate, followed by those between it and its authority, and its private key.
  std::string certificate_file;
  std::string key_file;
  // Whom it believes: certificates of authorities. On a server: clients must then show a certificate of one of them.
  std::string ca_file;
  // What errors call the files: <keys>certificate.location, <keys>key.location, <keys>ca.location.
  std::string keys = "grpc.ssl.";
  // How often the query service and its clients look whether the files have changed, in seconds; at least 1.
  unsigned refresh_s = 10;

  // False: no TLS.
  bool any() const { return !certificate_file.empty() || !key_file.empty() || !ca_file.empty(); }
};

// From <prefix>certificate.location, <prefix>key.location and, where there is such a key, <prefix>ca.location.
TlsOptions TlsOptionsOf(const base::Config& config, std::string_view prefix);

// OK without TLS. A server needs certificate and key; a client needs the authorities, and a certificate only with its key.
absl::Status CheckServerTls(const TlsOptions& options);
absl::Status CheckClientTls(const TlsOptions& options);

}  // namespace tailrace::grpc_api
