"""What is going on: the first page after signing in, and the pages of settings."""
