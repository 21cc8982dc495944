"""The images of images/: what goes into them, and how they are built."""
