"""Indicators of harvesters, between providers: what leaves, to whom, and what the indicators of others do here."""
