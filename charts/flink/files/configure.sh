#!/usr/bin/env bash
# Writes Flink's configuration folder, with the options that Secrets hold:
#   configure.sh CONFIG_MAP OPTIONS FOLDER
# FOLDER gets the files of CONFIG_MAP, and its config.yaml a line for each file of OPTIONS, which is named like an option and holds its value.
# Bash alone handles the values, so that no other process is given one as an argument.
set -euo pipefail
umask 077 # Flink runs as the same user

config_map=$1 options=$2 folder=$3

cp -L "$config_map"/* "$folder/"
for file in "$options"/*; do
  value=$(<"$file") # without the newline at its end, which editors and shells add
  if [[ ! $value ]]; then
    echo "The Secret for ${file##*/} holds nothing under that key: look at flink.configFrom." >&2
    exit 1
  fi
  # As YAML takes it between double quotes, on one line: Flink's start scripts read the file too.
  value=${value//\\/\\\\} value=${value//\"/\\\"} value=${value//$'\n'/\\n} value=${value//$'\r'/\\r} value=${value//$'\t'/\\t}
  printf '%s: "%s"\n' "${file##*/}" "$value" >>"$folder/config.yaml"
done
