"""What staff may set while Stillwatch runs: due-date targets, and which reasons are offered with which clause.

It lies below the rooms that read these values, so that it knows bands and reasons only as texts; the forms of
governance/overview/settings offer no others.
"""
