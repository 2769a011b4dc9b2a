"""What follows by rule: versioned policies, their outcomes, caps and the kill switch."""
