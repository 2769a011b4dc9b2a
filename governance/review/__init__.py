"""What people decide: cases, the queue, decisions."""
