"""Enforcement: how fast the check answers, how soon a decision is obeyed, and what survives."""
