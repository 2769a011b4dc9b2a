"""`manage.py bench`: how fast Stillwatch is here, as ratios within one run wherever that is possible.

docs/benchmarks.md keeps the tables, with the machines they were measured on.
"""
