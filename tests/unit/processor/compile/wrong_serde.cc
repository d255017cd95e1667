// A serde of another type: this file must not compile (compile_errors_test.py).
#include "tailrace/tailrace.h"

void Build(tailrace::StreamsBuilder& builder) {
  using tailrace::processor::StringSerde;
  builder.Stream<std::string, int64_t>("numbers", tailrace::Consumed<StringSerde, StringSerde>{});
}
