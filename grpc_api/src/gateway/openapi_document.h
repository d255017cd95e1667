// docs/openapi.yaml, put into the program by the build.
#pragma once

#include <string_view>

namespace tailrace::grpc_api {

std::string_view OpenApiDocument();

}  // namespace tailrace::grpc_api
