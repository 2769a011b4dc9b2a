"""What it looks like: detectors, scores, and the policy that says what follows."""
