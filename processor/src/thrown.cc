#include "thrown.h"

#include <cxxabi.h>

#include <cstdlib>
#include <exception>
#include <memory>
#include <typeinfo>

namespace tailrace::processor {

Thrown CurrentException() {
  try {
    throw;
  } catch (const std::exception& error) {
    int status = 0;
    const std::unique_ptr<char, void (*)(void*)> name(abi::__cxa_demangle(typeid(error).name(), nullptr, nullptr, &status), std::free);
    return {error.what(), name == nullptr ? typeid(error).name() : name.get()};
  } catch (...) {
    return {"something that is no std::exception", "unknown"};
  }
}

}  // namespace tailrace::processor
