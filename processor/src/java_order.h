// Orders that Kafka Streams leaves to the collections of the Java library, where they show in what an application writes.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <utility>
#include <vector>

namespace tailrace::processor {

// The order in which a java.util.HashSet<String> that was filled in this order is iterated. Names in UTF-8.
std::vector<std::string> InJavaHashSetOrder(const std::vector<std::string>& names);

// java.util.PriorityQueue: a binary heap, in which equal elements leave in an order that depends on the steps of its
// sifting. `Less` is the comparator's "less than".
template <class T, class Less>
class JavaPriorityQueue {
 public:
  explicit JavaPriorityQueue(Less less = {}) : less_(std::move(less)) {}

  bool empty() const { return heap_.empty(); }
  size_t size() const { return heap_.size(); }
  void clear() { heap_.clear(); }
  const T& top() const { return heap_.front(); }

  void Push(T element) {
    size_t hole = heap_.size();
    heap_.push_back(element);
    while (hole > 0) {
      const size_t parent = (hole - 1) / 2;
      if (!less_(element, heap_[parent])) break;
      heap_[hole] = std::move(heap_[parent]);
      hole = parent;
    }
    heap_[hole] = std::move(element);
  }

  T Pop() {
    T result = std::move(heap_.front());
    T last = std::move(heap_.back());
    heap_.pop_back();
    if (heap_.empty()) return result;
    size_t hole = 0;
    while (hole * 2 + 1 < heap_.size()) {
      size_t child = hole * 2 + 1;
      if (child + 1 < heap_.size() && less_(heap_[child + 1], heap_[child])) ++child;
      if (!less_(heap_[child], last)) break;
      heap_[hole] = std::move(heap_[child]);
      hole = child;
    }
    heap_[hole] = std::move(last);
    return result;
  }

 private:
  Less less_;
  std::vector<T> heap_;
};

// java.util.TreeSet as it fills up: a red-black tree. Where the comparator's answers change between insertions, the order
// depends on the shape of the tree. `Compare` answers below, at or above zero.
template <class T, class Compare>
class JavaTreeSet {
 public:
  explicit JavaTreeSet(Compare compare) : compare_(std::move(compare)) {}

  void Insert(const T& value) {
    int parent = kNone;
    int answer = 0;
    for (int at = root_; at != kNone; at = answer < 0 ? nodes_[Index(at)].left : nodes_[Index(at)].right) {
      parent = at;
      answer = compare_(value, nodes_[Index(at)].value);
      if (answer == 0) return;
    }
    const int inserted = static_cast<int>(nodes_.size());
    nodes_.push_back({value, parent, kNone, kNone, true});
    if (parent == kNone) root_ = inserted;
    else (answer < 0 ? At(parent).left : At(parent).right) = inserted;
    Rebalance(inserted);
  }

  std::vector<T> InOrder() const {
    std::vector<T> values;
    Visit(root_, values);
    return values;
  }

 private:
  static constexpr int kNone = -1;
  struct Node {
    T value;
    int parent;
    int left;
    int right;
    bool red;
  };
  static size_t Index(int node) { return static_cast<size_t>(node); }
  Node& At(int node) { return nodes_[Index(node)]; }
  bool IsRed(int node) const { return node != kNone && nodes_[Index(node)].red; }

  void Rotate(int node, bool to_left) {
    const int child = to_left ? At(node).right : At(node).left;
    const int middle = to_left ? At(child).left : At(child).right;
    (to_left ? At(node).right : At(node).left) = middle;
    if (middle != kNone) At(middle).parent = node;
    const int parent = At(node).parent;
    At(child).parent = parent;
    if (parent == kNone) root_ = child;
    else (At(parent).left == node ? At(parent).left : At(parent).right) = child;
    (to_left ? At(child).left : At(child).right) = node;
    At(node).parent = child;
  }

  void Rebalance(int node) {
    while (node != root_ && IsRed(At(node).parent)) {
      int parent = At(node).parent;
      const int grandparent = At(parent).parent;
      const bool parent_is_left = At(grandparent).left == parent;
      const int uncle = parent_is_left ? At(grandparent).right : At(grandparent).left;
      if (IsRed(uncle)) {
        At(parent).red = At(uncle).red = false;
        At(grandparent).red = true;
        node = grandparent;
        continue;
      }
      if (node == (parent_is_left ? At(parent).right : At(parent).left)) {
        node = parent;
        Rotate(node, parent_is_left);
        parent = At(node).parent;
      }
      At(parent).red = false;
      At(grandparent).red = true;
      Rotate(grandparent, !parent_is_left);
    }
    At(root_).red = false;
  }

  void Visit(int node, std::vector<T>& values) const {
    if (node == kNone) return;
    Visit(nodes_[Index(node)].left, values);
    values.push_back(nodes_[Index(node)].value);
    Visit(nodes_[Index(node)].right, values);
  }

  Compare compare_;
  std::vector<Node> nodes_;
  int root_ = kNone;
};

}  // namespace tailrace::processor
