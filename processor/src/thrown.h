// What user code threw, in words.
#pragma once

#include <string>

namespace tailrace::processor {

struct Thrown {
  std::string message;
  std::string type;  // the name of its class
};

// To be called in a catch block.
Thrown CurrentException();

}  // namespace tailrace::processor
