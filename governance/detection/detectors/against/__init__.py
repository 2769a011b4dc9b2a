"""Detectors whose findings speak against the account: their points raise its score."""
