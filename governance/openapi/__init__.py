"""The description of the API: an OpenAPI document, and the page that shows it."""
