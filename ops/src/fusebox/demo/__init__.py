"""`demo`: the guided tour, which breaks the live shop step by step and proves its promises."""
