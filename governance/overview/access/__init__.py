"""The pages of people and machines: who may sign in as what, and which service keys there are."""
