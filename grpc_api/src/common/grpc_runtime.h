// The gRPC library's own threads.
#pragma once

namespace tailrace::grpc_api {

// Starts the library and keeps it for the life of the process. Without this it ends with the last server or channel, and
// its end can wait 10 s for a poller thread: a drained worker would miss its time to exit.
void KeepGrpcRunning();

}  // namespace tailrace::grpc_api
