#!/usr/bin/env bash
# Makes plugins of what the image brings along, where Flink's own folder cannot be written.
#   plugins.sh FOLDER NAME...
# Links the jar NAME-<version>.jar of opt/ (or of plugins/, if the image has it there) into FOLDER/NAME.
set -euo pipefail
shopt -s nullglob

home=${FLINK_HOME:-/opt/flink}
folder=$1
shift
for name in "$@"; do
  jars=("$home/opt/$name"-[0-9]*.jar "$home/plugins"/*/"$name"-[0-9]*.jar)
  if [[ ${#jars[@]} == 0 ]]; then
    echo "The image has no $name-<version>.jar in $home/opt: add the one of its version of Flink." >&2
    exit 1
  fi
  mkdir -p "$folder/$name"
  ln -sf "${jars[0]}" "$folder/$name/"
done
