// A raw HTTP client for tests: it sends exactly the bytes it is given, and reads with a deadline.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <map>
#include <string>
#include <utility>

namespace tailrace::testing {

struct HttpReply {
  int status = 0;  // 0: the connection ended without an answer
  std::map<std::string, std::string> headers;  // names in lower case
  std::string body;
};

class HttpConnection {
 public:
  explicit HttpConnection(int port, int receive_buffer = 0) {
    fd_ = ::socket(AF_INET, SOCK_STREAM, 0);
    if (receive_buffer > 0) ::setsockopt(fd_, SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof(receive_buffer));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<uint16_t>(port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (::connect(fd_, reinterpret_cast<sockaddr*>(&address), sizeof(address)) != 0) Close();
  }
  ~HttpConnection() { Close(); }
  HttpConnection(const HttpConnection&) = delete;
  HttpConnection& operator=(const HttpConnection&) = delete;

  void Close() {
    if (fd_ >= 0) ::close(fd_);
    fd_ = -1;
  }
  void EndSending() { ::shutdown(fd_, SHUT_WR); }
  bool Send(const std::string& bytes) {
    size_t sent = 0;
    while (sent < bytes.size()) {
      const ssize_t n = ::send(fd_, bytes.data() + sent, bytes.size() - sent, MSG_NOSIGNAL);
      if (n <= 0) return false;
      sent += static_cast<size_t>(n);
    }
    return true;
  }
  // Appends what comes next to the buffer; false at the end of the connection or after the timeout.
  bool Receive(int timeout_ms = 5'000) {
    if (fd_ < 0) return false;
    pollfd waiting{fd_, POLLIN, 0};
    if (::poll(&waiting, 1, timeout_ms) <= 0) return false;
    char chunk[65536];
    const ssize_t n = ::recv(fd_, chunk, sizeof(chunk), 0);
    if (n <= 0) {
      ended_ = true;
      return false;
    }
    buffer_.append(chunk, static_cast<size_t>(n));
    return true;
  }
  // True when the other side ends the connection within the timeout.
  bool EndsWithin(int timeout_ms) {
    while (Receive(timeout_ms)) {
    }
    return ended_;
  }
  // Reads until the text has come; false when it does not.
  bool ReadUntil(const std::string& text, int timeout_ms = 5'000) {
    while (buffer_.find(text) == std::string::npos) {
      if (!Receive(timeout_ms)) return false;
    }
    return true;
  }
  std::string& buffer() { return buffer_; }

  HttpReply ReadReply(bool head = false) {
    HttpReply reply;
    if (!ReadUntil("\r\n\r\n")) return reply;
    const size_t end = buffer_.find("\r\n\r\n");
    std::string header = buffer_.substr(0, end);
    buffer_.erase(0, end + 4);
    reply.status = std::atoi(header.c_str() + 9);
    size_t line = header.find("\r\n");
    while (line != std::string::npos) {
      const size_t next = header.find("\r\n", line + 2);
      const std::string field = header.substr(line + 2, next == std::string::npos ? next : next - line - 2);
      const size_t colon = field.find(": ");
      if (colon != std::string::npos) {
        std::string name = field.substr(0, colon);
        std::transform(name.begin(), name.end(), name.begin(), [](unsigned char c) { return std::tolower(c); });
        reply.headers[name] = field.substr(colon + 2);
      }
      line = next;
    }
    if (head) return reply;
    const size_t length = reply.headers.contains("content-length")
                              ? static_cast<size_t>(std::stoul(reply.headers["content-length"])) : 0;
    while (buffer_.size() < length && Receive()) {
    }
    reply.body = buffer_.substr(0, length);
    buffer_.erase(0, std::min(length, buffer_.size()));
    return reply;
  }
  HttpReply Get(const std::string& target, const std::string& more_headers = "", const std::string& method = "GET") {
    Send(method + " " + target + " HTTP/1.1\r\nHost: test\r\n" + more_headers + "\r\n");
    return ReadReply(method == "HEAD");
  }

 private:
  int fd_ = -1;
  bool ended_ = false;
  std::string buffer_;
};

inline HttpReply HttpGet(int port, const std::string& target, const std::string& more_headers = "") {
  return HttpConnection(port).Get(target, more_headers);
}

}  // namespace tailrace::testing
