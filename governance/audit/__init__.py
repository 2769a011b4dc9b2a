"""What was done: an append-only log, chained by hash."""
