#include "spec/problems.h"

#include <algorithm>

#include "tailrace/base/limits.h"
#include "tailrace/base/nearest.h"

namespace tailrace::pipeline::spec {

void Problems::Add(Location at, std::string_view what) { problems_.push_back({at, std::string(what)}); }

void Problems::AddUnknown(Location at, std::string_view what, std::string_view name,
                          std::span<const std::string_view> allowed) {
  std::string text = "unknown ";
  text.append(what).append(" '").append(name).append("'").append(base::DidYouMean(name, allowed));
  text += "; allowed: " + Join(allowed);
  Add(at, text);
}

absl::Status Problems::ToStatus() const {
  if (problems_.empty()) return absl::OkStatus();
  std::vector<Problem> sorted = problems_;
  std::stable_sort(sorted.begin(), sorted.end(), [](const Problem& a, const Problem& b) {
    return a.at.line != b.at.line ? a.at.line < b.at.line : a.at.column < b.at.column;
  });
  std::string text;
  for (size_t i = 0; i < sorted.size(); ++i) {
    if (i == base::limits::kPipelineProblemsMax) {
      text += "\n... and " + std::to_string(sorted.size() - i) + " more problems";
      break;
    }
    const Problem& problem = sorted[i];
    if (i > 0) text += '\n';
    text += file_;
    if (problem.at.line > 0) text += ':' + std::to_string(problem.at.line) + ':' + std::to_string(problem.at.column);
    text += ": " + problem.what;
  }
  return base::UsageError(text);
}

std::string Join(std::span<const std::string_view> names) {
  std::string out;
  for (const std::string_view name : names) {
    if (!out.empty()) out += ", ";
    out += name;
  }
  return out;
}

}  // namespace tailrace::pipeline::spec
