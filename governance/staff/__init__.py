"""Who may act: people with a role, and machines with a service key."""
