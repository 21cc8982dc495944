"""A release: the charts packaged and signed, and our images with the lists of their parts, in a registry."""
