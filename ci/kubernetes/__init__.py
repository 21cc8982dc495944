"""The kind clusters, and the programs that speak to them."""
