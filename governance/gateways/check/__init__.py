"""What gateways ask and are told, from memory, in front of Django: the hot check in its dialects, and the feed."""
