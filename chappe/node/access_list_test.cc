#include "chappe/node/access_list.h"

#include <gtest/gtest.h>

namespace chappe::node {
namespace {

mesh::PublicKey key_of(int number) {
  mesh::PublicKey key{};
  key[0] = static_cast<std::uint8_t>(number);
  key[31] = 1;
  return key;
}

TEST(AccessList, FindsByTheBeginningOfAKeyAndKeepsTheOrder) {
  AccessList list;
  list.put(key_of(7)).permissions = 3;
  list.put(key_of(8)).permissions = 1;
  EXPECT_EQ(list.find_prefix(Bytes(key_of(8)).first(3)), &list.all()[1]);
  EXPECT_EQ(list.find(key_of(9)), nullptr);
  EXPECT_EQ(&list.put(key_of(7)), &list.all()[0]);
  list.remove(list.all()[0]);
  ASSERT_EQ(list.all().size(), 1u);
  EXPECT_EQ(list.all()[0].key, key_of(8));
}

TEST(AccessList, AFullOneGivesUpWhoWasLongestInactiveButNoAdministrator) {
  AccessList list;
  for (int i = 0; i < 20; ++i) {
    AccessEntry& entry = list.put(key_of(i));
    entry.permissions = i == 0 ? 3 : 1;
    entry.last_active = static_cast<std::uint32_t>(i == 5 ? 1 : 100 + i);
  }
  list.find(key_of(0))->last_active = 0;
  EXPECT_EQ(list.put(key_of(99)).permissions, 0);
  EXPECT_EQ(list.all().size(), AccessList::kCapacity);
  EXPECT_EQ(list.find(key_of(5)), nullptr);
  EXPECT_NE(list.find(key_of(0)), nullptr);
}

TEST(AccessList, OfAdministratorsAloneTheLastOneGoes) {
  AccessList list;
  for (int i = 0; i < 20; ++i) list.put(key_of(i)).permissions = 3;
  list.put(key_of(99));
  EXPECT_EQ(list.find(key_of(19)), nullptr);
  EXPECT_EQ(list.all()[19].key, key_of(99));
}

}  // namespace
}  // namespace chappe::node
