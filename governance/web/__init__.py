"""HTTP plumbing without business: problem details, authentication of machines, middleware."""
