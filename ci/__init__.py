"""The tool behind `make`, not only for CI: everything between a bare machine and a ready kind cluster.

It runs before any environment of Python exists, so that it needs the standard library alone; ci/charts/defaults.py and
ci/charts/dashboards.py, which run in .build/venv, are the exceptions. A directory may use those above it:

    core         console, cache of built things, paths, versions
    machine      Debian packages, docker engine, Go, Java, Python environments
    no_registry  the node image of kind, built where no container registry answers
    kubernetes   the kind clusters, and kubectl, helm and others
    images       the images that pods run
    charts       the generated files of the charts
    release      signed charts, and images with the lists of their parts, in a registry
    commands     what make calls
    locks        the hashes of all downloads
"""
