#include "comparison.h"

#include <algorithm>
#include <iterator>
#include <set>
#include <string_view>
#include <vector>

#include "absl/strings/match.h"

namespace tailrace::differential {
namespace {

constexpr size_t kContextLines = 2;

bool IsWhy(const std::string& line) { return absl::StartsWith(line, "why "); }

// Where Kafka Streams gives up over a mistake of its own, and there is nothing to compare.
constexpr std::string_view kGivesUp[] = {
    // With topology.optimization it does not find the operator that changed the key when a processor stands between it and a
    // grouping.
    "Found a null keyChangingChild node",
    // A grouping whose name is used again is written after what looks its tables up.
    "is not added yet",
    // A join looks the windows of a cogroup up in a key-value store.
    "KTable source state store must implement",
    // A record that cannot be read and has a time below zero becomes a dead letter that cannot be sent.
    "Timestamp should always be non-negative or null",
};

bool GivesUp(const Transcript& jvm) {
  const std::string why = WhyOf(jvm);
  return std::any_of(std::begin(kGivesUp), std::end(kGivesUp), [&](std::string_view text) { return why.find(text) != std::string::npos; });
}

Transcript Compared(const Transcript& transcript) {
  Transcript compared = transcript;
  std::erase_if(compared, IsWhy);
  return compared;
}

// Ours without the operator times that only we keep across restarts. Those that Kafka Streams keeps must be the same.
Transcript OursCompared(const Transcript& jvm, const Transcript& ours) {
  const auto operator_of = [](const std::string& line) { return line.substr(0, line.rfind(' ')); };
  std::set<std::string> kept_by_both;
  for (const std::string& line : jvm)
    if (absl::StartsWith(line, "kept ")) kept_by_both.insert(operator_of(line));
  Transcript compared = Compared(ours);
  std::erase_if(compared, [&](const std::string& line) {
    return absl::StartsWith(line, "kept ") && !kept_by_both.contains(operator_of(line));
  });
  return compared;
}

// Lines with a mark, along a longest common subsequence.
std::vector<std::string> Aligned(const Transcript& a, const Transcript& b) {
  std::vector<std::vector<uint32_t>> common(a.size() + 1, std::vector<uint32_t>(b.size() + 1, 0));
  for (size_t i = a.size(); i-- > 0;)
    for (size_t j = b.size(); j-- > 0;)
      common[i][j] = a[i] == b[j] ? common[i + 1][j + 1] + 1 : std::max(common[i + 1][j], common[i][j + 1]);
  std::vector<std::string> lines;
  for (size_t i = 0, j = 0; i < a.size() || j < b.size();) {
    if (i < a.size() && j < b.size() && a[i] == b[j]) {
      lines.push_back("  " + a[i]);
      ++i;
      ++j;
    } else if (j == b.size() || (i < a.size() && common[i + 1][j] >= common[i][j + 1])) {
      lines.push_back("J " + a[i++]);
    } else {
      lines.push_back("T " + b[j++]);
    }
  }
  return lines;
}

}  // namespace

bool Same(const Transcript& jvm, const Transcript& ours) {
  return Compared(jvm) == OursCompared(jvm, ours) || GivesUp(jvm);
}

std::string FirstDifference(const Transcript& jvm, const Transcript& ours) {
  const Transcript a = Compared(jvm);
  const Transcript b = OursCompared(jvm, ours);
  for (size_t i = 0; i < a.size() || i < b.size(); ++i) {
    if (i < a.size() && i < b.size() && a[i] == b[i]) continue;
    // A refusal shows wherever the other side goes on.
    if (Failed(jvm) != Failed(ours)) return "failed";
    const std::string& line = i < a.size() ? a[i] : b[i];
    return line.substr(0, line.find(' '));
  }
  return "";
}

bool Failed(const Transcript& transcript) {
  const Transcript compared = Compared(transcript);
  return !compared.empty() && compared.back() == "failed";
}

std::string WhyOf(const Transcript& transcript) {
  std::string why;
  for (const std::string& line : transcript)
    if (IsWhy(line)) why += (why.empty() ? "" : "; ") + line.substr(4);
  return why;
}

std::string ShowDifference(const Transcript& jvm, const Transcript& ours) {
  const std::vector<std::string> lines = Aligned(jvm, OursCompared(jvm, ours));
  std::string shown;
  size_t next = 0;
  for (size_t i = 0; i < lines.size(); ++i) {
    bool near = false;
    for (size_t j = i < kContextLines ? 0 : i - kContextLines; j < std::min(lines.size(), i + kContextLines + 1); ++j)
      near |= lines[j][0] != ' ';
    if (!near) continue;
    if (i != next) shown += "  ...\n";
    shown += lines[i] + "\n";
    next = i + 1;
  }
  return shown;
}

}  // namespace tailrace::differential
