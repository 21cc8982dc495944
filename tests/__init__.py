"""The tests: unit/ needs no cluster, kind/ needs one, support/ is the library that both are written with."""
