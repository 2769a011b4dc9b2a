"""Gateways that Stillwatch goes to by itself: LiteLLM, where blocks are pushed, and canaries, which show who obeys."""
