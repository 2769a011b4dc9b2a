"""An app of the tests: how the database is emptied after a test that commits."""
