// The operators that cases are made of. Each file of a family registers its kinds; the generator combines them by type.
#pragma once

#include <any>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "case.h"
#include "draw.h"
#include "graph.h"

namespace tailrace::differential {

// What an operator takes and makes; graph.h names the C++ type of each.
enum class Type {
  kNone,  // a sink makes nothing
  kStream,
  kWindowedStream,
  kTable,
  kWindowedTable,
  kBranches,
  kGrouped,
  kTimeWindowed,
  kVersionedTable,
  kGlobalTable,
  kCogrouped,
  kSlidingWindowed,
  kSessionWindowed,
  kTimeOnClose,
  kSlidingOnClose,
  kSessionOnClose,
  kSessionTable,
  kSessionStream,
  kGroupedTable,
};

// Draws the arguments of one operator of a case in the making.
class Plan {
 public:
  // The topics of a case while it is made.
  struct Topics {
    std::vector<std::string> inputs;
    std::vector<std::string> shared;  // lists of inputs, each read as a stream with nothing special about it
  };
  Plan(Draw& chance, int op_id, int cached_percent, Topics& topics)
      : draw(chance), id_(op_id), cached_percent_(cached_percent), topics_(topics) {}

  Draw& draw;

  // A topic that nobody else reads; records will be piped into it.
  std::string NewInputTopic();
  std::vector<std::string>& shared_topics() { return topics_.shared; }
  // Names that only this operator has.
  std::string Fresh(std::string_view prefix) const { return std::string(prefix) + std::to_string(id_); }
  // Gives the operator a name, or leaves it to be generated.
  void MaybeName(Op& op);
  // The arguments store=, cached=, logged=, memory= that Graph::Materialized reads.
  void Store(Op& op);
  void MaybeNulls(Op& op, int percent = 25) { if (draw.Percent(percent)) op.arguments["nulls"] = "1"; }
  // User code that throws at about 1 of some records.
  void MaybeThrows(Op& op) { if (draw.Percent(8)) Number(op, "throws", 4, 12); }
  void Number(Op& op, const char* name, int64_t from, int64_t to) {
    op.arguments[name] = std::to_string(draw.Between(from, to));
  }

 private:
  const int id_;
  const int cached_percent_;
  Topics& topics_;
};

struct Kind {
  std::string name;  // "stream.filter": what it is called on, and the method
  std::vector<Type> inputs;
  Type output = Type::kNone;
  // Adds the arguments; null: there are none.
  std::function<void(Plan&, Op&)> draw;
  // Calls the DSL; returns the handle for later operators, empty for a sink.
  std::function<std::any(Graph&, const Op&)> build;
  // Changes what the operators above were given, where the operator's results depend on chance with some of it. Null: nothing.
  std::function<void(std::vector<Op>& ops, const Op& op)> adjust = nullptr;
};

class Grammar {
 public:
  // All families.
  static const Grammar& Get();

  void Add(Kind kind) { kinds_.push_back(std::move(kind)); }
  const std::vector<Kind>& kinds() const { return kinds_; }
  const Kind* Find(std::string_view name) const;

 private:
  std::vector<Kind> kinds_;
};

// One line per family, here and in families.cc.
void AddStateless(Grammar& grammar);
void AddAggregates(Grammar& grammar);
void AddTimeWindows(Grammar& grammar);
void AddSliding(Grammar& grammar);
void AddSessions(Grammar& grammar);
void AddWindowedKeys(Grammar& grammar);
void AddOnClose(Grammar& grammar);
void AddCogroups(Grammar& grammar);
void AddTables(Grammar& grammar);
void AddJoins(Grammar& grammar);
void AddVersioned(Grammar& grammar);
void AddGlobals(Grammar& grammar);
void AddGroupedTables(Grammar& grammar);
void AddTableJoins(Grammar& grammar);
void AddSuppression(Grammar& grammar);
void AddForeignKeys(Grammar& grammar);
void AddProcessors(Grammar& grammar);
void AddSurface(Grammar& grammar);
void AddStoredTables(Grammar& grammar);

}  // namespace tailrace::differential
