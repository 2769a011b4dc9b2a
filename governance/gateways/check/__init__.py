"""The process that gateways ask: the check in its protocols and the feed, answered from memory."""
