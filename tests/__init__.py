"""The tests: unit/ needs no cluster, kind/ needs one; both are written with the library in harness/."""
