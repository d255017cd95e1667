// Calls to workers that are waited for, one or several at once.
#pragma once

#include <memory>
#include <utility>
#include <vector>

#include "absl/synchronization/blocking_counter.h"
#include "routing/worker_rpc.h"

namespace tailrace::grpc_api {

// One call of several that run at the same time.
template <class Request, class Response>
struct WorkerCall {
  std::shared_ptr<WorkerRpc> worker;  // shared with the channel pool
  Request request;
  Response response;
  absl::Status status;
};

// Makes all calls at once and waits for all of them; each ends by its deadline.
template <class Request, class Response>
void CallAll(std::vector<WorkerCall<Request, Response>>& calls, int64_t timeout_ms) {
  absl::BlockingCounter pending(static_cast<int>(calls.size()));
  for (WorkerCall<Request, Response>& call : calls) {
    call.worker->Call(call.request, &call.response, timeout_ms, [&call, &pending](absl::Status status) {
      call.status = std::move(status);
      pending.DecrementCount();
    });
  }
  pending.Wait();
}

template <class Request, class Response>
absl::Status CallOne(const std::shared_ptr<WorkerRpc>& worker, const Request& request, Response* response,
                     int64_t timeout_ms) {
  std::vector<WorkerCall<Request, Response>> calls(1);
  calls[0].worker = worker;
  calls[0].request = request;
  CallAll(calls, timeout_ms);
  *response = std::move(calls[0].response);
  return calls[0].status;
}

}  // namespace tailrace::grpc_api
