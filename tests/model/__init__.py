"""Random walks of operations and events, with the real hooks in a small model of Kubernetes, Flink and a store.

values      what a user sets, as far as the model knows it
chart       renders the objects of a revision, and the contract of its hooks
store       files by path on claims and on S3; each state has the number of rows that it holds
kubernetes  the API server, and controllers of Deployments and pods
flink       JobManagers with their jobs, REST, and what high availability keeps
start_job   the rules of files/start-job.sh
ledger      what each job has completed, and what it may start from
world       all of this, with one clock
package     loads the hooks, and runs an event of theirs in the world
helm        operations of Helm, Argo CD and kubectl
trouble     what goes wrong in the middle of an operation
scenes      releases and what happens to them, for tests that walk a path of their own
walk        the state machine of hypothesis: rules and invariants
"""
