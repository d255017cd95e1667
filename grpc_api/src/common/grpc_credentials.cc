#include "common/grpc_credentials.h"

#include <grpcpp/security/credentials.h>
#include <grpcpp/security/server_credentials.h>
#include <grpcpp/security/tls_certificate_provider.h>
#include <grpcpp/security/tls_credentials_options.h>

#include <algorithm>

#include "common/grpc_runtime.h"

namespace tailrace::grpc_api {
namespace {

// Reads the files now and then from a thread of its own, for as long as somebody holds credentials made with it.
std::shared_ptr<grpc::experimental::CertificateProviderInterface> Watch(const TlsOptions& options) {
  KeepGrpcRunning();
  return std::make_shared<grpc::experimental::FileWatcherCertificateProvider>(options.key_file, options.certificate_file,
                                                                              options.ca_file, std::max(options.refresh_s, 1u));
}

}  // namespace

absl::StatusOr<std::shared_ptr<grpc::ServerCredentials>> ServerCredentialsOf(const TlsOptions& options) {
  if (!options.any()) return grpc::InsecureServerCredentials();
  TAILRACE_RETURN_IF_ERROR(CheckServerTls(options));
  grpc::experimental::TlsServerCredentialsOptions tls(Watch(options));
  tls.watch_identity_key_cert_pairs();
  if (!options.ca_file.empty()) {
    tls.watch_root_certs();
    tls.set_cert_request_type(GRPC_SSL_REQUEST_AND_REQUIRE_CLIENT_CERTIFICATE_AND_VERIFY);
  }
  return grpc::experimental::TlsServerCredentials(tls);
}

absl::StatusOr<std::shared_ptr<grpc::ChannelCredentials>> ChannelCredentialsOf(const TlsOptions& options) {
  if (!options.any()) return grpc::InsecureChannelCredentials();
  TAILRACE_RETURN_IF_ERROR(CheckClientTls(options));
  grpc::experimental::TlsChannelCredentialsOptions tls;
  tls.set_certificate_provider(Watch(options));
  tls.watch_root_certs();
  if (!options.certificate_file.empty()) tls.watch_identity_key_cert_pairs();
  // gRPC compares the worker's name or address with its certificate unless told otherwise.
  return grpc::experimental::TlsCredentials(tls);
}

}  // namespace tailrace::grpc_api
