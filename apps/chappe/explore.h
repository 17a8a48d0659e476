#pragma once

namespace chappe::app {

/// `chappe explore …` becomes the program chappe-explore that lies beside this one. `words` are
/// this program's; returns, with an exit code, only if there is none.
int explore(char** words);

}  // namespace chappe::app
