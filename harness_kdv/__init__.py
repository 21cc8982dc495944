"""What tests and benchmarks know of the KDV job: its input, what it has to make of it, and what it made.

adverts     good and other input records
kafka       the records of a topic, read by jobs/tools
csv_output  the rows that the job wrote
model       what the job has to make of its input, computed independently of it, and the comparison
tools       pods with the programs of jobs/tools
"""
