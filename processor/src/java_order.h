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

}  // namespace tailrace::processor
