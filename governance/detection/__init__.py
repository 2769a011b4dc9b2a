"""What usage looks like: detectors, scores, calibration and assessments."""
