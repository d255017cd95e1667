#include "shrink.h"

#include <algorithm>
#include <set>

#include "absl/strings/str_split.h"

namespace tailrace::differential {
namespace {

class Shrinker {
 public:
  Shrinker(const Grammar& grammar, Case c, int runs_max, absl::FunctionRef<bool(const Case&)> still_differs)
      : grammar_(grammar), best_(std::move(c)), runs_left_(runs_max), still_differs_(still_differs) {}

  Case Run() {
    for (bool progress = true; progress && runs_left_ > 0;) {
      progress = DropEvents();
      progress |= DropOps();
      progress |= DropArguments();
      progress |= Simplify();
    }
    return std::move(best_);
  }

 private:
  bool Try(Case candidate) {
    if (runs_left_ <= 0) return false;
    --runs_left_;
    DropOrphanEvents(candidate);
    if (!still_differs_(candidate)) return false;
    best_ = std::move(candidate);
    return true;
  }

  // Events of topics that nobody reads any more.
  static void DropOrphanEvents(Case& c) {
    std::set<std::string> topics;
    for (const Op& op : c.ops)
      for (const auto& [name, value] : op.arguments)
        if (name.starts_with("topic"))
          for (const std::string& topic : std::vector<std::string>(absl::StrSplit(value, ','))) topics.insert(topic);
    std::erase_if(c.events, [&](const Event& event) { return !event.topic.empty() && !topics.contains(event.topic); });
  }

  bool DropEvents() {
    bool progress = false;
    for (size_t chunk = std::max<size_t>(best_.events.size() / 2, 1); chunk >= 1; chunk /= 2) {
      for (size_t at = 0; at < best_.events.size();) {
        Case candidate = best_;
        const auto first = candidate.events.begin() + static_cast<ptrdiff_t>(at);
        candidate.events.erase(first, first + static_cast<ptrdiff_t>(std::min(chunk, candidate.events.size() - at)));
        if (Try(std::move(candidate))) progress = true;
        else at += chunk;
      }
    }
    return progress;
  }

  bool DropOps() {
    bool progress = false;
    for (size_t i = best_.ops.size(); i-- > 0;) {
      if (i >= best_.ops.size()) continue;
      const Op& op = best_.ops[i];
      const bool used = std::any_of(best_.ops.begin(), best_.ops.end(), [&](const Op& other) {
        return std::find(other.inputs.begin(), other.inputs.end(), op.id) != other.inputs.end();
      });
      const Kind* const kind = grammar_.Find(op.kind);
      if (kind == nullptr) continue;
      // A used operator goes when one of its inputs can stand for what it makes.
      std::vector<int> stand_ins;
      if (!used) stand_ins.push_back(-1);
      else
        for (size_t input = 0; input < kind->inputs.size(); ++input)
          if (kind->inputs[input] == kind->output) stand_ins.push_back(op.inputs[input]);
      for (const int stand_in : stand_ins) {
        Case candidate = best_;
        candidate.ops.erase(candidate.ops.begin() + static_cast<ptrdiff_t>(i));
        for (Op& other : candidate.ops) std::replace(other.inputs.begin(), other.inputs.end(), op.id, stand_in);
        if (!Try(std::move(candidate))) continue;
        progress = true;
        break;
      }
    }
    return progress;
  }

  bool DropArguments() {
    bool progress = false;
    for (size_t i = 0; i < best_.ops.size(); ++i) {
      for (const char* name : {"name", "nulls", "logged", "memory", "retention"}) {
        if (!best_.ops[i].Has(name)) continue;
        Case candidate = best_;
        candidate.ops[i].arguments.erase(name);
        progress |= Try(std::move(candidate));
      }
    }
    return progress;
  }

  bool Simplify() {
    bool progress = false;
    for (size_t i = 0; i < best_.events.size(); ++i) {
      if (best_.events[i].headers.empty()) continue;
      Case candidate = best_;
      candidate.events[i].headers.clear();
      progress |= Try(std::move(candidate));
    }
    return progress;
  }

  const Grammar& grammar_;
  Case best_;
  int runs_left_;
  absl::FunctionRef<bool(const Case&)> still_differs_;
};

}  // namespace

Case Shrink(const Grammar& grammar, Case c, int runs_max, absl::FunctionRef<bool(const Case&)> still_differs) {
  return Shrinker(grammar, std::move(c), runs_max, still_differs).Run();
}

}  // namespace tailrace::differential
