"""How dates read where a template does not say: by day, and by the second, since these are records."""
