#!/usr/bin/env bash
# Keeps a node's routes to the pods of the other nodes. Arguments: SUBNET=NODE for each of them. The engine knows the nodes by name; one
# that is started again may have another address, and one that is away keeps its route.
set -u
while :; do
  for peer in "$@"; do
    if entry=$(getent ahostsv4 "${peer#*=}"); then
      ip route replace "${peer%%=*}" via "${entry%% *}"
    fi
  done
  sleep 5
done
