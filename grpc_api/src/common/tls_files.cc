#include "common/tls_files.h"

#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/x509.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"
#include "tailrace/base/check.h"
#include "tailrace/base/config_keys.h"
#include "tailrace/base/log.h"

namespace tailrace::grpc_api {
namespace {

std::string CertificateKey(const TlsOptions& options) { return options.keys + "certificate.location"; }
std::string KeyKey(const TlsOptions& options) { return options.keys + "key.location"; }
std::string CaKey(const TlsOptions& options) { return options.keys + "ca.location"; }

// OpenSSL's reason for the last failure, which never has contents of a file.
std::string Reason() {
  const unsigned long code = ERR_peek_last_error();
  ERR_clear_error();
  const char* const reason = code == 0 ? nullptr : ERR_reason_error_string(code);
  return reason == nullptr ? "unknown reason" : reason;
}

absl::Status Readable(const std::string& key, const std::string& file) {
  const int fd = ::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  std::string reason = fd < 0 ? std::strerror(errno) : "";
  struct stat found {};
  if (fd >= 0 && (::fstat(fd, &found) != 0 || !S_ISREG(found.st_mode))) reason = "not a file";
  if (fd >= 0) ::close(fd);
  if (reason.empty()) return absl::OkStatus();
  return base::UsageError(absl::StrCat(key, ": ", file, ": ", reason, "; name a PEM file that this process may read"));
}

// Otherwise OpenSSL would ask at the terminal.
int NoPassPhrase(char*, int, int, void*) { return 0; }

absl::Status UsePair(SSL_CTX* context, const TlsOptions& options) {
  TAILRACE_RETURN_IF_ERROR(Readable(CertificateKey(options), options.certificate_file));
  TAILRACE_RETURN_IF_ERROR(Readable(KeyKey(options), options.key_file));
  SSL_CTX_set_default_passwd_cb(context, NoPassPhrase);
  if (SSL_CTX_use_certificate_chain_file(context, options.certificate_file.c_str()) != 1) {
    return base::UsageError(absl::StrCat(CertificateKey(options), ": ", options.certificate_file,
                                         " cannot be used as a certificate: ", Reason(), "; it has to be readable PEM"));
  }
  const bool loaded = SSL_CTX_use_PrivateKey_file(context, options.key_file.c_str(), SSL_FILETYPE_PEM) == 1;
  // Loading compares it with a certificate of the same kind only; the check finds an RSA key with an EC certificate, too.
  if (loaded && SSL_CTX_check_private_key(context) == 1) return absl::OkStatus();
  if (loaded || ERR_GET_LIB(ERR_peek_last_error()) == ERR_LIB_X509) {
    ERR_clear_error();
    return base::UsageError(absl::StrCat(KeyKey(options), ": the key in ", options.key_file, " does not fit the certificate in ",
                                         options.certificate_file, " (", CertificateKey(options),
                                         "); name the two files that belong together"));
  }
  return base::UsageError(absl::StrCat(KeyKey(options), ": ", options.key_file, " cannot be used as a private key: ", Reason(),
                                       "; it has to be readable PEM without a pass phrase"));
}

absl::Status UseAuthorities(SSL_CTX* context, const TlsOptions& options) {
  TAILRACE_RETURN_IF_ERROR(Readable(CaKey(options), options.ca_file));
  if (SSL_CTX_load_verify_locations(context, options.ca_file.c_str(), nullptr) == 1) return absl::OkStatus();
  return base::UsageError(absl::StrCat(CaKey(options), ": ", options.ca_file, " has no certificate of an authority: ", Reason(),
                                       "; it has to be readable PEM"));
}

absl::Status CheckPairIsWhole(const TlsOptions& options) {
  if (options.certificate_file.empty() == options.key_file.empty()) return absl::OkStatus();
  const bool no_key = options.key_file.empty();
  return base::UsageError(absl::StrCat(no_key ? KeyKey(options) : CertificateKey(options), " is not set, but ",
                                       no_key ? CertificateKey(options) : KeyKey(options), " is (",
                                       no_key ? options.certificate_file : options.key_file, "); set both, or neither for no TLS"));
}

absl::StatusOr<SslContext> Load(const TlsOptions& options, const SSL_METHOD* method) {
  SslContext context(SSL_CTX_new(method), SSL_CTX_free);
  TAILRACE_CHECK(context != nullptr, "OpenSSL has memory");
  TAILRACE_CHECK(SSL_CTX_set_min_proto_version(context.get(), TLS1_2_VERSION) == 1, "OpenSSL knows TLS 1.2");
  ERR_clear_error();
  if (!options.certificate_file.empty()) TAILRACE_RETURN_IF_ERROR(UsePair(context.get(), options));
  if (!options.ca_file.empty()) TAILRACE_RETURN_IF_ERROR(UseAuthorities(context.get(), options));
  return context;
}

// Changes with every replacement of a file, be it by a rename, by another target of a symbolic link or in place.
std::string Mark(const std::string& file) {
  struct stat found {};
  if (::stat(file.c_str(), &found) != 0) return "none";
  return absl::StrCat(found.st_dev, ".", found.st_ino, ".", found.st_size, ".", found.st_mtim.tv_sec, ".", found.st_mtim.tv_nsec, " ");
}

}  // namespace

TlsOptions TlsOptionsOf(const base::Config& config, std::string_view prefix) {
  const std::string keys(prefix);
  TlsOptions options{.certificate_file = config.String(keys + "certificate.location"),
                     .key_file = config.String(keys + "key.location"),
                     .ca_file = {},
                     .keys = keys};
  if (base::FindConfigKey(keys + "ca.location") != nullptr) options.ca_file = config.String(keys + "ca.location");
  return options;
}

absl::StatusOr<SslContext> LoadServerTls(const TlsOptions& options) {
  TAILRACE_RETURN_IF_ERROR(CheckPairIsWhole(options));
  if (options.certificate_file.empty()) {
    return base::UsageError(absl::StrCat(CertificateKey(options), " and ", KeyKey(options), " are not set, but ", CaKey(options),
                                         " is (", options.ca_file, "); a server needs a certificate of its own"));
  }
  return Load(options, TLS_server_method());
}

absl::Status CheckServerTls(const TlsOptions& options) {
  return options.any() ? LoadServerTls(options).status() : absl::OkStatus();
}

absl::Status CheckClientTls(const TlsOptions& options) {
  if (!options.any()) return absl::OkStatus();
  TAILRACE_RETURN_IF_ERROR(CheckPairIsWhole(options));
  if (options.ca_file.empty()) {
    return base::UsageError(absl::StrCat(CaKey(options), " is not set, but ", CertificateKey(options), " is (", options.certificate_file,
                                         "); clients know workers by it: name the file of the authority that signed their certificates"));
  }
  return Load(options, TLS_client_method()).status();
}

absl::StatusOr<std::unique_ptr<ServerTls>> ServerTls::Open(TlsOptions options) {
  std::unique_ptr<ServerTls> tls(new ServerTls(std::move(options)));
  tls->seen_ = Mark(tls->options_.certificate_file) + Mark(tls->options_.key_file);
  TAILRACE_ASSIGN_OR_RETURN(tls->context_, LoadServerTls(tls->options_));
  return tls;
}

const SslContext& ServerTls::Current() {
  // Before they are read: what changes meanwhile is seen next time.
  std::string mark = Mark(options_.certificate_file) + Mark(options_.key_file);
  if (mark == seen_) return context_;
  seen_ = std::move(mark);
  if (absl::StatusOr<SslContext> fresh = LoadServerTls(options_); fresh.ok()) {
    context_ = *std::move(fresh);
    base::LogInfo("http", "certificate replaced", {{"file", options_.certificate_file}});
  } else {
    base::LogWarning("http", "new certificate not used, the old one stays", {{"reason", fresh.status()}});
  }
  return context_;
}

}  // namespace tailrace::grpc_api
