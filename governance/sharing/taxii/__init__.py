"""The TAXII 2.1 server from which partners read what was released to them."""
