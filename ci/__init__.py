"""Everything between a bare machine and a ready kind cluster. Standard library only: it runs before any venv exists."""
