// Whether two transcripts say the same, and where they do not.
#pragma once

#include <string>

#include "twin.h"

namespace tailrace::differential {

// What is compared: everything but the reasons of a refusal.
bool Same(const Transcript& jvm, const Transcript& ours);

// What the first difference is about: "topology", "record", "store", "committed", "kept", "failed"; empty without one.
std::string FirstDifference(const Transcript& jvm, const Transcript& ours);

// True when the transcript ends with a refusal.
bool Failed(const Transcript& transcript);
// Its "why" lines in one, empty when there are none.
std::string WhyOf(const Transcript& transcript);

// The differing lines with some around them: "  " both, "J " Kafka Streams only, "T " Tailrace only.
std::string ShowDifference(const Transcript& jvm, const Transcript& ours);

}  // namespace tailrace::differential
