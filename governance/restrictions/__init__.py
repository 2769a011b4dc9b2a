"""What customers may not do: restrictions, and the feed that publishes them to gateways."""
