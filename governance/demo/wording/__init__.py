"""What invented customers write about: grammars by subject, all of the project's own writing."""
