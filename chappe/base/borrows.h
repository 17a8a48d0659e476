#pragma once

/// Behind a parameter: what the function returns refers to it and must not outlive it. clang says
/// so when a temporary is borrowed for longer than it lives; other compilers cannot.
#if defined(__clang__)
#define CHAPPE_BORROWED [[clang::lifetimebound]]
#else
#define CHAPPE_BORROWED
#endif
