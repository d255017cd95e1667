// Runs a case on our TopologyTestDriver.
#pragma once

#include <string>
#include <vector>

#include "case.h"
#include "grammar.h"

namespace tailrace::differential {

// All that can be observed, line by line, in the same form as the JVM peer writes it: the topology's text, the records of
// each topic in order, the rows of each store sorted, the metadata of committed offsets. A topology or a record that is refused
// ends the transcript with "failed"; lines that begin with "why" explain and are not compared.
using Transcript = std::vector<std::string>;

Transcript RunTwin(const Grammar& grammar, const Case& c);

}  // namespace tailrace::differential
