"""What they did: usage events come in, are fingerprinted, counted and kept by day."""
