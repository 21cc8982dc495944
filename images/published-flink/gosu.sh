#!/bin/sh
# gosu USER COMMAND...: runs a command as another user, in place of this process.
set -eu
user=$1
shift
exec setpriv --reuid="$user" --regid="$user" --init-groups "$@"
