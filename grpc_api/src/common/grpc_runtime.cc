#include "common/grpc_runtime.h"

#include <grpc/grpc.h>

#include <mutex>

namespace tailrace::grpc_api {

void KeepGrpcRunning() {
  static std::once_flag once;
  std::call_once(once, grpc_init);
}

}  // namespace tailrace::grpc_api
