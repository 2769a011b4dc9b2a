"""Detectors whose findings speak for the account: their points lower its score."""
