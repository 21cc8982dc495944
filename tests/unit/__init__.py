"""Tests that need no cluster: rendered charts, the library of the tests, jobs and tools as plain Python."""
