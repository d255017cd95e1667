// A type without a serde: this file must not compile (compile_errors_test.py).
#include "tailrace/tailrace.h"

struct Order {
  int id = 0;
};

void Build(tailrace::StreamsBuilder& builder) { builder.Stream<std::string, Order>("orders").To("copy"); }
