"""What this machine needs to build and run anything: Debian packages, the docker engine, Go, Java, Python environments."""
