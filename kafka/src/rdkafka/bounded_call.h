// Calls of the library that may wait for a broker for longer than their caller can.
#pragma once

#include <functional>

namespace tailrace::kafka::rdkafka {

// Runs `call` on a thread of its own and waits for it. True: it has returned, and its effects are visible. False: `timeout_ms`
// is over and the call goes on alone. So it owns all that it uses, which is destroyed on its thread when it returns.
bool RunWithin(int timeout_ms, std::function<void()> call);

}  // namespace tailrace::kafka::rdkafka
