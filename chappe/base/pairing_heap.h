#pragma once

#include "chappe/base/check.h"

namespace chappe {

/// A place in a pairing heap; lives inside what is queued.
class HeapNode {
 public:
  constexpr HeapNode() = default;
  HeapNode(const HeapNode&) = delete;
  HeapNode& operator=(const HeapNode&) = delete;
  ~HeapNode() { CHAPPE_CHECK(!queued_); }

  bool queued() const { return queued_; }

 private:
  template <class T, class Before>
  friend class PairingHeap;
  HeapNode* child_ = nullptr;
  HeapNode* next_ = nullptr;   // the next sibling
  HeapNode* owner_ = nullptr;  // the previous sibling, or the parent of a first child
  bool queued_ = false;
};

/// An intrusive priority queue of T, which derives from HeapNode; `Before` orders it strictly.
/// O(1) push and look at the first, amortised O(log n) removal. No capacity, no allocation.
/// Context: one thread.
template <class T, class Before>
class PairingHeap {
 public:
  bool empty() const { return root_ == nullptr; }
  T& front() const { return static_cast<T&>(*root_); }

  void push(T& item) {
    HeapNode& node = item;
    CHAPPE_CHECK(!node.queued_);
    node.child_ = node.next_ = node.owner_ = nullptr;
    node.queued_ = true;
    root_ = root_ == nullptr ? &node : merge(root_, &node);
  }

  T* pop() {
    if (root_ == nullptr) return nullptr;
    HeapNode* const first = root_;
    root_ = merge_all(first->child_);
    first->child_ = nullptr;
    first->queued_ = false;
    return static_cast<T*>(first);
  }

  void remove(T& item) {
    HeapNode& node = item;
    CHAPPE_CHECK(node.queued_);
    if (&node == root_) {
      pop();
      return;
    }
    if (node.owner_->child_ == &node) {
      node.owner_->child_ = node.next_;
    } else {
      node.owner_->next_ = node.next_;
    }
    if (node.next_ != nullptr) node.next_->owner_ = node.owner_;
    if (HeapNode* const rest = merge_all(node.child_); rest != nullptr) root_ = merge(root_, rest);
    node.child_ = node.next_ = node.owner_ = nullptr;
    node.queued_ = false;
  }

 private:
  // Both are roots of their own; the later one becomes the first child of the earlier one.
  static HeapNode* merge(HeapNode* a, HeapNode* b) {
    if (Before{}(static_cast<const T&>(*b), static_cast<const T&>(*a))) {
      HeapNode* const c = a;
      a = b;
      b = c;
    }
    b->next_ = a->child_;
    if (b->next_ != nullptr) b->next_->owner_ = b;
    b->owner_ = a;
    a->child_ = b;
    a->next_ = a->owner_ = nullptr;
    return a;
  }

  // Two passes: pair up the siblings from the left, then fold the pairs from the right.
  static HeapNode* merge_all(HeapNode* first) {
    HeapNode* pairs = nullptr;  // linked through next_, last pair first
    while (first != nullptr) {
      HeapNode* a = first;
      HeapNode* const b = a->next_;
      first = b == nullptr ? nullptr : b->next_;
      a->next_ = a->owner_ = nullptr;
      if (b != nullptr) {
        b->next_ = b->owner_ = nullptr;
        a = merge(a, b);
      }
      a->next_ = pairs;
      pairs = a;
    }
    HeapNode* root = nullptr;
    while (pairs != nullptr) {
      HeapNode* const next = pairs->next_;
      pairs->next_ = nullptr;
      root = root == nullptr ? pairs : merge(root, pairs);
      pairs = next;
    }
    return root;
  }

  HeapNode* root_ = nullptr;
};

}  // namespace chappe
