"""What is allowed, due and required: pure functions over plain values, the law quoted beside the check."""
