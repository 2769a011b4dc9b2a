"""Measure how well Stillwatch and known baselines tell harvests from other customers, on one labelled world.

A development command: the baselines need `requirements-dev.txt`. Nothing of a world is kept.
"""
