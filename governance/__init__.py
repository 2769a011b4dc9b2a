"""The governing: what customers did, what it looks like, what people decide and what follows from it."""
