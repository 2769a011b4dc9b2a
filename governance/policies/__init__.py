"""Policies beside what people decided: the page on which one goes live, or does not."""
