"""The constructive search: compiled arrays and the kernel that places activities by recursive swapping."""
