"""Python's garbage collector, set for a process that serves for long."""

import gc

# The default of 700 allocations makes the collector run many times a request, each over all that
# start-up left behind.
GC_THRESHOLD = 20_000


def after_start() -> None:
    """Leave alone what is there now, and look less often at what comes."""
    gc.freeze()
    gc.set_threshold(GC_THRESHOLD)
