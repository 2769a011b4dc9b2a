"""How well harvests are told from other customers: by Stillwatch and by what else is known, on one labelled world.

A development command: the baselines need `requirements-dev.txt`. Nothing of a world is kept.
"""
