"""What else is known to tell harvests: one file each, `scores(world)` gives every account a number, more is worse."""
