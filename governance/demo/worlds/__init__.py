"""Labelled worlds for measuring detection: the demonstration's customers by the thousand, and every kind of harvest."""
