"""Formats of others mapped onto the wire format, one file a source."""
