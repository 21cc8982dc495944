"""What is needed only where no container registry answers: a node image for kind, made from packages."""
