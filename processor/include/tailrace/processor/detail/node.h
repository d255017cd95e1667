// Operator instances. A task holds one instance of each operator of its subtopology, linked by plain pointers: a record
// moves from operator to operator by one virtual call, without allocation and without look-up.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "tailrace/base/check.h"
#include "tailrace/base/status.h"
#include "tailrace/kafka/record.h"
#include "tailrace/processor/detail/task_context.h"
#include "tailrace/processor/record.h"

namespace tailrace::processor::detail {

// The identity of a (key type, value type) pair, to verify links when a task is built.
using TypeTag = const void*;
template <class K, class V>
TypeTag TypeTagOf() {
  static const char tag = 0;
  return &tag;
}

// Not thread-safe: the task's thread only.
class Node {
 public:
  Node();
  virtual ~Node();
  // The type of records that Process takes; null for sources.
  virtual TypeTag input_type() const { return nullptr; }
  // The type of records that the node forwards; null for sinks.
  virtual TypeTag output_type() const { return nullptr; }
  // REQUIRES: child->input_type() == output_type().
  virtual void AddChild(Node* child) = 0;
  // Resolves stores and topics. Called once, children first linked, before the first record.
  virtual absl::Status Init(TaskContext& context) = 0;
  // Event time has come this far without a record for this operator: there was no input for long, or the upstream tasks of a
  // repartition topic said so. Called between records, when stores are flushed, parents first. May forward.
  virtual void AdvanceTime(int64_t) {}
  // Called once before destruction when the task closes cleanly or not; must not forward.
  virtual void Close() {}

  const std::string& name() const { return name_; }
  void set_name(std::string name) { name_ = std::move(name); }

 private:
  std::string name_;
};

// Makes operators, once per task.
using NodeFactory = std::function<std::unique_ptr<Node>()>;
// What factories return. A smart pointer to each operator's own type would be compiled into every program for nothing.
template <class N, class... Args>
std::unique_ptr<Node> MakeNode(Args&&... args) {
  return std::unique_ptr<Node>(new N(std::forward<Args>(args)...));
}

// A node that takes records of type (K, V).
template <class K, class V>
class Receiver : public Node {
 public:
  TypeTag input_type() const final { return TypeTagOf<K, V>(); }
  virtual void Process(const Record<K, V>& record) = 0;
};

// The links to a node's children, whose types were compared when they were linked.
class Links {
 public:
  bool empty() const { return children_.empty(); }
  const std::vector<Node*>& children() const { return children_; }

 protected:
  Links();
  ~Links();
  Links(const Links&) = delete;
  Links& operator=(const Links&) = delete;
  // REQUIRES: the child takes records of this type.
  void AddChecked(Node* child, TypeTag type);

 private:
  std::vector<Node*> children_;
};

// The same with types. A child that throws is handled where it is called (ProcessorNode.process on the JVM): when
// the processing handler says so, the record ends at that child, and its siblings and the operators above go on.
template <class K, class V>
class Output : private Links {
 public:
  void Add(Node* child) { AddChecked(child, TypeTagOf<K, V>()); }
  // Until then an exception passes through.
  void Init(TaskContext& context) { context_ = &context; }
  void Forward(const Record<K, V>& record) const {
    for (Node* child : children()) ForwardTo(static_cast<Receiver<K, V>&>(*child), record);
  }
  void ForwardTo(Receiver<K, V>& child, const Record<K, V>& record) const {
    try {
      child.Process(record);
    } catch (...) {
      if (context_ == nullptr || !context_->HandleThrown(child.name(), false)) throw;
    }
  }
  using Links::children;
  using Links::empty;
  Receiver<K, V>& child(size_t place) const { return static_cast<Receiver<K, V>&>(*children()[place]); }

 private:
  TaskContext* context_ = nullptr;
};

// A node that takes (KI, VI) and forwards (KO, VO).
template <class KI, class VI, class KO, class VO>
class Operator : public Receiver<KI, VI> {
 public:
  TypeTag output_type() const override { return TypeTagOf<KO, VO>(); }
  void AddChild(Node* child) override { output_.Add(child); }
  absl::Status Init(TaskContext& context) override {
    context_ = &context;
    output_.Init(context);
    return absl::OkStatus();
  }

 protected:
  void Forward(const Record<KO, VO>& record) const { output_.Forward(record); }
  TaskContext& context() const { return *context_; }
  const Output<KO, VO>& output() const { return output_; }

 private:
  TaskContext* context_ = nullptr;
  Output<KO, VO> output_;
};

// An entrance of a task. The task calls Decode, decides by the timestamp whether the record is accepted, then calls Emit.
class Source : public Node {
 public:
  // Decodes `record`, which stays valid until Emit returns. An error with kSkipRecord means that it cannot be decoded.
  // `partition_time_ms` is the largest timestamp seen on the record's partition, for extractors that fall back to it.
  virtual absl::Status Decode(const kafka::RecordView& record, int64_t partition_time_ms) = 0;
  // Whether a negative timestamp is an error of the record, for the deserialization handler; otherwise the record is dropped.
  virtual bool reports_invalid_timestamps() const { return true; }
  // The event time of the decoded record.
  virtual int64_t timestamp_ms() const = 0;
  // Forwards the decoded record.
  virtual void Emit() = 0;
};

}  // namespace tailrace::processor::detail
