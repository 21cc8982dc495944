# A job in an image with Flink. What that image has for a job of its own is left out.
ARG BASE
FROM ${BASE}
RUN rm -rf /opt/flink/usrlib && mkdir /opt/flink/usrlib
COPY python /opt/flink/python
COPY --chown=9999:9999 flink /opt/flink
# Modules beside the job's own file, and what it requires.
ENV PYTHONPATH=/opt/flink/usrlib:/opt/flink/python
