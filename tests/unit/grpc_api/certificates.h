// Certificates that a test makes for itself, and a blocking TLS client.
#pragma once

#include <gtest/gtest.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <sys/time.h>

#include <filesystem>
#include <fstream>
#include <memory>
#include <string>

namespace tailrace::testing {

using KeyPtr = std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)>;
using CertificatePtr = std::unique_ptr<X509, decltype(&X509_free)>;

// An authority and the certificates that it signs, for 127.0.0.1 and for a day.
class Authority {
 public:
  Authority() : key_(EVP_EC_gen("P-256"), EVP_PKEY_free), certificate_(Make(key_.get(), "authority", nullptr)) {}

  void WriteCertificate(const std::string& file) const { Write(file, [&](BIO* bio) { PEM_write_bio_X509(bio, certificate_.get()); }); }
  // A new certificate named `name` and its key.
  void Issue(const std::string& name, const std::string& certificate_file, const std::string& key_file, bool rsa = false) const {
    const KeyPtr key(rsa ? EVP_RSA_gen(2048) : EVP_EC_gen("P-256"), EVP_PKEY_free);
    const CertificatePtr certificate = Make(key.get(), name, this);
    Write(certificate_file, [&](BIO* bio) { PEM_write_bio_X509(bio, certificate.get()); });
    Write(key_file, [&](BIO* bio) { PEM_write_bio_PrivateKey(bio, key.get(), nullptr, nullptr, 0, nullptr, nullptr); });
  }

 private:
  static CertificatePtr Make(EVP_PKEY* key, const std::string& name, const Authority* issuer) {
    static long serial = 0;
    CertificatePtr certificate(X509_new(), X509_free);
    X509_set_version(certificate.get(), 2);
    ASN1_INTEGER_set(X509_get_serialNumber(certificate.get()), ++serial);
    X509_gmtime_adj(X509_getm_notBefore(certificate.get()), -3600);
    X509_gmtime_adj(X509_getm_notAfter(certificate.get()), 86'400);
    X509_set_pubkey(certificate.get(), key);
    X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate.get()), "CN", MBSTRING_ASC,
                               reinterpret_cast<const unsigned char*>(name.c_str()), -1, -1, 0);
    X509_set_issuer_name(certificate.get(), X509_get_subject_name(issuer != nullptr ? issuer->certificate_.get() : certificate.get()));
    Extend(certificate.get(), NID_basic_constraints, issuer != nullptr ? "CA:FALSE" : "critical,CA:TRUE");
    if (issuer != nullptr) Extend(certificate.get(), NID_subject_alt_name, "IP:127.0.0.1");
    EXPECT_GT(X509_sign(certificate.get(), issuer != nullptr ? issuer->key_.get() : key, EVP_sha256()), 0);
    return certificate;
  }
  static void Extend(X509* certificate, int nid, const char* value) {
    X509_EXTENSION* const extension = X509V3_EXT_conf_nid(nullptr, nullptr, nid, value);
    ASSERT_NE(extension, nullptr);
    X509_add_ext(certificate, extension, -1);
    X509_EXTENSION_free(extension);
  }
  // By a rename, as the servers demand it.
  template <class Print>
  static void Write(const std::string& file, Print print) {
    const std::unique_ptr<BIO, decltype(&BIO_free)> bio(BIO_new_file((file + ".new").c_str(), "w"), BIO_free);
    ASSERT_NE(bio, nullptr) << file;
    print(bio.get());
    BIO_flush(bio.get());
    std::filesystem::rename(file + ".new", file);
  }

  KeyPtr key_;
  CertificatePtr certificate_;
};

// A connection to 127.0.0.1 that believes the authority of `ca_file` only.
class TlsConnection {
 public:
  TlsConnection(int port, const std::string& ca_file) : context_(SSL_CTX_new(TLS_client_method()), SSL_CTX_free) {
    EXPECT_EQ(SSL_CTX_load_verify_locations(context_.get(), ca_file.c_str(), nullptr), 1);
    SSL_CTX_set_verify(context_.get(), SSL_VERIFY_PEER, nullptr);
    fd_ = ::socket(AF_INET, SOCK_STREAM, 0);
    const timeval patience{.tv_sec = 20, .tv_usec = 0};
    ::setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<uint16_t>(port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(::connect(fd_, reinterpret_cast<sockaddr*>(&address), sizeof(address)), 0);
    ssl_.reset(SSL_new(context_.get()));
    X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl_.get()), "127.0.0.1");
    SSL_set_fd(ssl_.get(), fd_);
    secured_ = SSL_connect(ssl_.get()) == 1;
  }
  ~TlsConnection() {
    if (secured_) SSL_shutdown(ssl_.get());
    ::close(fd_);
  }
  TlsConnection(const TlsConnection&) = delete;
  TlsConnection& operator=(const TlsConnection&) = delete;

  // The server is whom the authority says, and both speak TLS.
  bool secured() const { return secured_; }
  bool Send(const std::string& bytes) { return SSL_write(ssl_.get(), bytes.data(), static_cast<int>(bytes.size())) > 0; }
  // Everything up to the text, which it includes; without it when the connection ends before.
  std::string ReadThrough(const std::string& text) {
    char chunk[16'384];
    size_t found = buffer_.find(text);
    while (found == std::string::npos) {
      const int n = SSL_read(ssl_.get(), chunk, sizeof(chunk));
      if (n <= 0) return std::exchange(buffer_, {});
      buffer_.append(chunk, static_cast<size_t>(n));
      found = buffer_.find(text);
    }
    std::string read = buffer_.substr(0, found + text.size());
    buffer_.erase(0, read.size());
    return read;
  }
  // True when the server says that this is the end (and did not just break off).
  bool EndsInOrder() {
    char byte = 0;
    const int n = SSL_read(ssl_.get(), &byte, 1);
    return SSL_get_error(ssl_.get(), n) == SSL_ERROR_ZERO_RETURN;
  }

 private:
  std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)> context_;
  std::unique_ptr<SSL, decltype(&SSL_free)> ssl_{nullptr, SSL_free};
  int fd_ = -1;
  bool secured_ = false;
  std::string buffer_;
};

}  // namespace tailrace::testing
