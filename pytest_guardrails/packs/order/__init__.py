"""Order and short-circuit."""
