"""The C library's allocator, told to keep what it has: freed memory is used again and not handed back to the system.

glibc maps blocks above 32 MB afresh on every allocation and trims the top of the heap, so that a network pays page faults
which depend on what ran before it (mallopt(3)). A serving process keeps its memory; measured and predicted alike.
"""

import ctypes
import os

M_TRIM_THRESHOLD, M_MMAP_MAX = -1, -4
KEEP = 2**31 - 1
VARIABLE = "PLANNER_ALLOCATOR"


def settle(choice: str) -> str:
    """Set the allocator up as asked, ``system`` or ``pinned``; what it is now. Children inherit the choice."""
    os.environ[VARIABLE] = choice
    if choice == "system":
        return choice
    try:
        library = ctypes.CDLL(None)
        done = library.mallopt(M_MMAP_MAX, 0) and library.mallopt(M_TRIM_THRESHOLD, KEEP)
    except (OSError, AttributeError):
        done = 0
    return "pinned" if done else "system"
