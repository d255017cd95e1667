#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "tailrace/processor/processor.h"

namespace tailrace::processor::detail {

int FindChild(TaskContext& task, std::string_view processor, std::span<const std::string> children, std::string_view name) {
  for (size_t i = 0; i < children.size(); ++i)
    if (children[i] == name) return static_cast<int>(i);
  task.Fail(base::UsageError(absl::StrCat("processor ", std::string(processor), " has no child ", std::string(name),
                                          "; its children are ", children.empty() ? "none" : absl::StrJoin(children, ", "))));
  return -1;
}

}  // namespace tailrace::processor::detail
