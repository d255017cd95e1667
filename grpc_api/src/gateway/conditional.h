// Conditional requests (RFC 9110): a client that polls learns for the price of a header that nothing has changed.
#pragma once

#include "gateway/http_types.h"

namespace tailrace::grpc_api {

// Gives a JSON answer its entity tag and lets caches keep it as long as they ask again; becomes 304 without a body when
// the request's If-None-Match has that tag. Every other answer is returned as it is.
HttpResponse Revalidated(const HttpRequest& request, HttpResponse response);

}  // namespace tailrace::grpc_api
