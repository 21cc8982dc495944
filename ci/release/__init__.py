"""The version of the charts, and what names it."""
