#include "chappe/explore/exploration.h"

int main(int count, char** arguments) {
  return chappe::explore::command(count - 1, arguments + 1);
}
