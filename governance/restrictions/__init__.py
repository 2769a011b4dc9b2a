"""What they may not do: restrictions, and the check that gateways ask."""
