"""`demo`: the guided tour, which breaks the live shop step by step and asserts its promises."""
