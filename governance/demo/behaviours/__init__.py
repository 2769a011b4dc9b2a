"""How each kind of customer behaves; one `Kind` beside each behaviour, gathered in `cast.py`."""
