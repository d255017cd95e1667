// Page tokens and resume tokens say which application they belong to: "<token>.<N>" for replay N, the bare token for an
// ordinary application (docs/formats.md). A token of one that has been cut over is never taken for a place in the other.
#pragma once

#include <string>
#include <string_view>

namespace tailrace::grpc_api {

// An empty token stays empty.
std::string TokenOf(std::string_view application_id, std::string token);

struct ApplicationToken {
  std::string token;
  bool foreign = false;  // of another application than the one that answers now
};
ApplicationToken ReadToken(std::string_view application_id, std::string_view text);

}  // namespace tailrace::grpc_api
