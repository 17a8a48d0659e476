#pragma once

#include <cstddef>

#include "chappe/base/check.h"

namespace chappe {

/// A place in an intrusive list. It lives inside what is listed, so listing allocates nothing, and
/// its destructor unlinks: what is gone is in no list.
class ListNode {
 public:
  constexpr ListNode() = default;
  ListNode(const ListNode&) = delete;
  ListNode& operator=(const ListNode&) = delete;
  ~ListNode() { unlink(); }

  bool linked() const { return next_ != nullptr; }
  void unlink() {
    if (next_ == nullptr) return;
    next_->previous_ = previous_;
    previous_->next_ = next_;
    next_ = previous_ = nullptr;
  }

 private:
  template <class T>
  friend class List;
  ListNode* next_ = nullptr;
  ListNode* previous_ = nullptr;
};

/// An intrusive first-in-first-out list of T, which derives from ListNode. Everything is O(1).
/// Context: one thread; the list knows nothing of concurrency.
template <class T>
class List {
 public:
  constexpr List() { head_.next_ = head_.previous_ = &head_; }
  List(const List&) = delete;
  List& operator=(const List&) = delete;
  ~List() {
    while (!empty()) head_.next_->unlink();
    head_.next_ = head_.previous_ = nullptr;
  }

  bool empty() const { return head_.next_ == &head_; }
  T& front() { return static_cast<T&>(*head_.next_); }
  T& back() { return static_cast<T&>(*head_.previous_); }

  void push_back(T& item) { insert_before(head_, item); }
  void push_front(T& item) { insert_before(*head_.next_, item); }
  T* pop_front() {
    if (empty()) return nullptr;
    T& item = front();
    static_cast<ListNode&>(item).unlink();
    return &item;
  }

  /// Moves everything in `other` to the end of this list.
  void splice_back(List& other) {
    if (other.empty()) return;
    other.head_.next_->previous_ = head_.previous_;
    head_.previous_->next_ = other.head_.next_;
    other.head_.previous_->next_ = &head_;
    head_.previous_ = other.head_.previous_;
    other.head_.next_ = other.head_.previous_ = &other.head_;
  }

  /// Visits each item in order. `visit` may unlink the item it was given, and only that one.
  template <class Visit>
  void for_each(Visit visit) {
    for (ListNode* node = head_.next_; node != &head_;) {
      ListNode* const next = node->next_;
      visit(static_cast<T&>(*node));
      node = next;
    }
  }

 private:
  static void insert_before(ListNode& place, T& item) {
    ListNode& node = item;
    CHAPPE_CHECK(!node.linked());
    node.next_ = &place;
    node.previous_ = place.previous_;
    place.previous_->next_ = &node;
    place.previous_ = &node;
  }

  ListNode head_;
};

}  // namespace chappe
