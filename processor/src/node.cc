#include "tailrace/processor/detail/node.h"

namespace tailrace::processor::detail {

Node::Node() = default;
Node::~Node() = default;

Links::Links() = default;
Links::~Links() = default;

void Links::AddChecked(Node* child, TypeTag type) {
  TAILRACE_CHECK(child->input_type() == type, "operator types differ at " + child->name());
  children_.push_back(child);
}

}  // namespace tailrace::processor::detail
