#include "absl/strings/str_cat.h"
#include "grammar.h"

namespace tailrace::differential {

const Grammar& Grammar::Get() {
  static const Grammar grammar = [] {
    Grammar all;
    AddStateless(all);
    AddAggregates(all);
    AddTimeWindows(all);
    AddSliding(all);
    AddSessions(all);
    AddWindowedKeys(all);
    AddOnClose(all);
    AddCogroups(all);
    AddTables(all);
    AddJoins(all);
    AddVersioned(all);
    AddGlobals(all);
    AddGroupedTables(all);
    AddTableJoins(all);
    AddSuppression(all);
    AddForeignKeys(all);
    AddProcessors(all);
    AddSurface(all);
    AddStoredTables(all);
    return all;
  }();
  return grammar;
}

const Kind* Grammar::Find(std::string_view name) const {
  for (const Kind& kind : kinds_)
    if (kind.name == name) return &kind;
  return nullptr;
}

std::string Plan::NewInputTopic() {
  topics_.inputs.push_back(absl::StrCat("in", topics_.inputs.size()));
  return topics_.inputs.back();
}

void Plan::MaybeName(Op& op) {
  if (draw.Percent(30)) op.arguments["name"] = Fresh("name");
}

void Plan::Store(Op& op) {
  if (draw.Percent(40)) op.arguments["store"] = Fresh("store");
  op.arguments["cached"] = draw.Percent(cached_percent_) ? "1" : "0";
  if (draw.Percent(8)) op.arguments["logged"] = "0";
  if (draw.Percent(30)) op.arguments["memory"] = "1";
}

}  // namespace tailrace::differential
