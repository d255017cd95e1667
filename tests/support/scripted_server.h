// A server on this host that speaks HTTP/1.1 and WebSocket by hand, byte for byte as its script says: answers that are cut,
// stalls, frames in pieces. It shares no code with the clients under test.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <openssl/sha.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"

namespace tailrace::testing_support {

// One connection, as the server sees it.
class Peer {
 public:
  explicit Peer(int socket) : socket_(socket) {}

  // The next request: its head, and its body where Content-Length says so. Empty when the client has gone.
  std::string ReadRequest() {
    while (buffer_.find("\r\n\r\n") == std::string::npos)
      if (!Receive()) return "";
    const size_t head = buffer_.find("\r\n\r\n") + 4;
    const std::string length = Header(buffer_.substr(0, head), "content-length");
    const size_t size = head + (length.empty() ? 0 : std::stoul(length));
    while (buffer_.size() < size)
      if (!Receive()) return "";
    std::string request = buffer_.substr(0, size);
    buffer_.erase(0, size);
    return request;
  }
  // The value of a header of a request; empty when there is none.
  static std::string Header(const std::string& request, const std::string& name) {
    const std::string lower = absl::AsciiStrToLower(request);
    const size_t at = lower.find("\r\n" + name + ":");
    if (at == std::string::npos) return "";
    const size_t begin = at + name.size() + 3;
    std::string value = request.substr(begin, request.find("\r\n", begin) - begin);
    absl::StripAsciiWhitespace(&value);
    return value;
  }

  // False when the client has gone.
  bool Send(const std::string& bytes) {
    size_t done = 0;
    while (done < bytes.size()) {
      const ssize_t sent = ::send(socket_, bytes.data() + done, bytes.size() - done, MSG_NOSIGNAL);
      if (sent <= 0) return false;
      done += static_cast<size_t>(sent);
    }
    return true;
  }
  bool Answer(int status, const std::string& body, const std::string& headers = "") {
    return Send(absl::StrCat("HTTP/1.1 ", status, " X\r\nContent-Type: application/json\r\nContent-Length: ", body.size(), "\r\n", headers, "\r\n", body));
  }
  bool BeginChunks() { return Send("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"); }
  bool Chunk(const std::string& bytes) {
    char size[20];
    std::snprintf(size, sizeof(size), "%zx\r\n", bytes.size());
    return Send(size + bytes + "\r\n");
  }
  bool EndChunks() { return Send("0\r\n\r\n"); }
  // Until the client goes.
  void AwaitEnd() {
    while (Receive()) buffer_.clear();
  }

  // WebSocket: the handshake for a request, and frames.
  bool Upgrade(const std::string& request) {
    const std::string text = Header(request, "sec-websocket-key") + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
    unsigned char digest[SHA_DIGEST_LENGTH];
    SHA1(reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest);
    return Send("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: " +
                absl::Base64Escape(absl::string_view(reinterpret_cast<const char*>(digest), sizeof(digest))) + "\r\n\r\n");
  }
  static constexpr int kText = 1, kContinuation = 0, kClose = 8, kPing = 9, kPong = 10;
  bool Frame(int opcode, const std::string& payload, bool final = true) {
    std::string frame(1, static_cast<char>((final ? 0x80 : 0) | opcode));
    if (payload.size() < 126) {
      frame += static_cast<char>(payload.size());
    } else if (payload.size() < 65'536) {
      frame += static_cast<char>(126);
      frame += static_cast<char>(payload.size() >> 8);
      frame += static_cast<char>(payload.size() & 0xff);
    } else {
      frame += static_cast<char>(127);
      for (int shift = 56; shift >= 0; shift -= 8) frame += static_cast<char>((payload.size() >> shift) & 0xff);
    }
    return Send(frame + payload);
  }
  // The next frame of the client, unmasked; its opcode is -1 when the client has gone.
  std::pair<int, std::string> ReadFrame() {
    const auto need = [&](size_t size) {
      while (buffer_.size() < size)
        if (!Receive()) return false;
      return true;
    };
    if (!need(2)) return {-1, ""};
    size_t size = static_cast<unsigned char>(buffer_[1]) & 0x7f;
    size_t at = 2;
    if (size == 126) {
      if (!need(4)) return {-1, ""};
      size = (static_cast<size_t>(static_cast<unsigned char>(buffer_[2])) << 8) | static_cast<unsigned char>(buffer_[3]);
      at = 4;
    }
    if (!need(at + 4 + size)) return {-1, ""};
    const int opcode = buffer_[0] & 0x0f;
    std::string payload = buffer_.substr(at + 4, size);
    for (size_t i = 0; i < size; ++i) payload[i] = static_cast<char>(payload[i] ^ buffer_[at + i % 4]);
    buffer_.erase(0, at + 4 + size);
    return {opcode, payload};
  }

 private:
  bool Receive() {
    char block[4'096];
    const ssize_t got = ::recv(socket_, block, sizeof(block), 0);
    if (got <= 0) return false;
    buffer_.append(block, static_cast<size_t>(got));
    return true;
  }

  const int socket_;
  std::string buffer_;
};

// Calls the script for every connection, each in a thread of its own, with the number of the connection from 0; when the
// script returns the connection is closed.
class ScriptedServer {
 public:
  explicit ScriptedServer(std::function<void(Peer&, int)> script) : script_(std::move(script)) {
    listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof(address);
    if (::bind(listener_, reinterpret_cast<sockaddr*>(&address), size) != 0 || ::listen(listener_, 16) != 0 ||
        ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size) != 0)
      std::abort();
    port_ = ntohs(address.sin_port);
    acceptor_ = std::thread([this] { Accept(); });
  }
  ~ScriptedServer() {
    ending_ = true;
    ::shutdown(listener_, SHUT_RDWR);
    acceptor_.join();
    {
      std::lock_guard lock(mu_);
      for (const int socket : sockets_) ::shutdown(socket, SHUT_RDWR);
    }
    for (std::thread& thread : threads_) thread.join();
    for (const int socket : sockets_) ::close(socket);
    ::close(listener_);
  }
  ScriptedServer(const ScriptedServer&) = delete;
  ScriptedServer& operator=(const ScriptedServer&) = delete;

  std::string address() const { return absl::StrCat("127.0.0.1:", port_); }
  int connections() const { return connections_; }

 private:
  void Accept() {
    while (!ending_) {
      const int socket = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
      if (socket < 0) continue;
      std::lock_guard lock(mu_);
      sockets_.push_back(socket);
      threads_.emplace_back([this, socket, number = connections_++] {
        Peer peer(socket);
        script_(peer, number);
        // The descriptor is closed with the server, so that it cannot be another connection's meanwhile.
        ::shutdown(socket, SHUT_RDWR);
      });
    }
  }

  const std::function<void(Peer&, int)> script_;
  int listener_ = -1;
  int port_ = 0;
  std::atomic<bool> ending_{false};
  std::atomic<int> connections_{0};
  std::mutex mu_;
  std::vector<int> sockets_;          // guarded by mu_ until the acceptor has ended
  std::vector<std::thread> threads_;  // the same
  std::thread acceptor_;
};

}  // namespace tailrace::testing_support
