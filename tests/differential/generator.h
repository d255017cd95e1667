// Makes the case of a seed.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "case.h"
#include "grammar.h"

namespace tailrace::differential {

// The same arguments give the same case, everywhere. Every seed has one operator that it is about (those of `only` take turns; all
// when it is empty), a few that it prefers, and sinks behind whatever else it needed.
Case Generate(const Grammar& grammar, uint64_t seed, const std::vector<std::string>& only = {});

}  // namespace tailrace::differential
