"""The KDV job; `kdv.py` beside this package starts it, and says what goes in and what comes out.

    arguments, argument_types   what a user may write, and what is refused
    places                      where broken and late records go
    options                     the options of Flink that belong to the job
    source, windows, sinks      the statements in SQL, along the way of a row; `sql` has what they share
    without_jar                 what stands in for our classes of Java, on an image without them
    plan                        all of them as one job
    kafka, topics               what the job asks Kafka for while it is planned

Those that plan need PyFlink, which they import where they use it: statements can be tested without it.
"""
