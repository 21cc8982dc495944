"""The files of the charts that are generated."""
