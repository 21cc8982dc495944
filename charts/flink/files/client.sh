#!/usr/bin/env bash
# Runs commands for the hook in the container beside this one, which has Python but no Flink.
#   client.sh FOLDER
# FOLDER/<name>.in holds the words of a command, a NUL after each; what it says goes to <name>.out, its exit code to <name>.code.
# $(NAME) in a word is that variable of this container, as in `args` of Kubernetes. Ends when there is a file FOLDER/end.
set -euo pipefail
shopt -s nullglob

declare -A environment
while IFS= read -r -d '' variable; do environment[${variable%%=*}]=${variable#*=}; done < <(env -0)

# As Kubernetes does it: $$ is one $, and what is not set stays as it is.
expand() {
  local rest=$1
  expanded=
  while [[ $rest == *\$* ]]; do
    expanded+=${rest%%\$*} rest=\$${rest#*\$}
    if [[ $rest =~ ^\$\(([^\)]+)\) && ${environment[${BASH_REMATCH[1]}]+set} ]]; then
      expanded+=${environment[${BASH_REMATCH[1]}]} rest=${rest#*\)}
    elif [[ $rest == \$\$* ]]; then
      expanded+=\$ rest=${rest:2}
    else
      expanded+=\$ rest=${rest:1}
    fi
  done
  expanded+=$rest
}

cd "$1"
until [[ -e end ]]; do
  for command in *.in; do
    mapfile -d '' -t words <"$command"
    for index in "${!words[@]}"; do
      expand "${words[index]}"
      words[index]=$expanded
    done
    rm "$command"
    name=${command%.in}
    code=0
    "${words[@]}" >"$name.out" 2>&1 || code=$?
    echo "$code" >"$name.tmp"
    mv "$name.tmp" "$name.code" # whole as soon as it is seen
  done
  sleep 0.2
done
