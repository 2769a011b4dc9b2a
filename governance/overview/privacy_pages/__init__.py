"""The pages of legal holds and erasures."""
