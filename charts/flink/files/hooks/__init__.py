"""Keeps the state of jobs across Helm operations: `python3 -m hooks EVENT`.

wanted      what the coming revision asks for, as the templates wrote it
record      what the hooks have recorded of a job
observe     what Kubernetes, Flink and the store say now
plan        what follows from these three, and nothing else: a pure function
act         carries a plan out
prove       waits until the job runs from where it should
session     the same for each job of a session cluster
operations  one function for each event
"""
