#!/usr/bin/env bash
# Writes Flink's configuration folder, with what Secrets hold:
#   configure.sh CONFIG_MAP OPTIONS FOLDER [CERTIFICATES]
# FOLDER gets the files of CONFIG_MAP, and its config.yaml a line for each file of OPTIONS, which is named like an option and holds its value.
# CERTIFICATES has a folder for each part of Flink that speaks TLS, internal and rest, with tls.crt, tls.key and ca.crt: FOLDER gets the key
# stores that Java reads, under a password of this pod. Of those for zookeeper it gets files in PEM, which its client reads. OPTIONS does not
# have to be there.
# Bash alone handles the values, and passwords go by the environment, so that no other process is given one as an argument.
set -euo pipefail
shopt -s nullglob
umask 077 # Flink runs as the same user

config_map=$1 options=$2 folder=$3 certificates=${4:-}

fail() {
  echo "$*" >&2
  exit 1
}

# A command whose output is shown if it fails: fails with a sentence before it.
try() {
  local sentence=$1 output
  shift
  output=$("$@" 2>&1) || fail "$sentence: $output"
}

# Fails unless the certificate of this part, which that value is for, can be used.
check() {
  local from=$certificates/$1 value=$2 text
  command -v openssl >/dev/null || fail "The image has no openssl, which $value needs: use one that has it, as Flink's own image does."
  text=$(openssl x509 -in "$from/tls.crt" -noout -enddate -checkend 0) ||
    fail "The certificate in the Secret of ${value%.*} has expired, or is none (${text//$'\n'/, }): put a new one there."
}

keystores() {
  local part=$1 from=$certificates/$1 text certificate number=0 option
  WORD=$(openssl rand -hex 32)
  export WORD
  try "tls.crt and tls.key in the Secret of tls.$part do not belong together" \
    openssl pkcs12 -export -name flink -in "$from/tls.crt" -inkey "$from/tls.key" -out "$folder/$part-keystore.p12" -passout env:WORD
  rm -f "$folder/$part-truststore.p12" # of a container before this one
  text=$(<"$from/ca.crt")
  while [[ $text =~ -----BEGIN\ CERTIFICATE-----[^-]+-----END\ CERTIFICATE----- ]]; do
    certificate=${BASH_REMATCH[0]} text=${text#*"${BASH_REMATCH[0]}"} number=$((number + 1))
    try "ca.crt in the Secret of tls.$part has a certificate that Java does not read" \
      keytool -J-Xmx16m -J-XX:+UseSerialGC -J-XX:TieredStopAtLevel=1 -importcert -noprompt -alias "ca-$number" \
      -keystore "$folder/$part-truststore.p12" -storetype PKCS12 -storepass:env WORD <<<"$certificate"
  done
  ((number)) || fail "ca.crt in the Secret of tls.$part holds no certificate: put there the one of the authority that signed tls.crt."
  for option in keystore-password key-password truststore-password; do
    printf '%s: "%s"\n' "security.ssl.$part.$option" "$WORD" >>"$folder/config.yaml"
  done
}

# The client of ZooKeeper takes a key in PKCS#8 alone.
pem() {
  local from=$certificates/zookeeper key
  key=$(openssl pkey -in "$from/tls.key" 2>/dev/null) &&
    [[ $(openssl x509 -in "$from/tls.crt" -noout -pubkey) == "$(openssl pkey -pubout <<<"$key")" ]] ||
    fail "tls.crt and tls.key in the Secret of highAvailability.zookeeper.tls do not belong together."
  cat - "$from/tls.crt" >"$folder/zookeeper-keystore.pem" <<<"$key"
  cp -L "$from/ca.crt" "$folder/zookeeper-truststore.pem"
}

cp -L "$config_map"/* "$folder/"
for file in "$options"/*; do
  value=$(<"$file") # without the newline at its end, which editors and shells add
  [[ $value ]] || fail "The Secret for ${file##*/} holds nothing under that key: look at flink.configFrom."
  # As YAML takes it between double quotes, on one line: Flink's start scripts read the file too.
  value=${value//\\/\\\\} value=${value//\"/\\\"} value=${value//$'\n'/\\n} value=${value//$'\r'/\\r} value=${value//$'\t'/\\t}
  printf '%s: "%s"\n' "${file##*/}" "$value" >>"$folder/config.yaml"
done
if [[ $certificates ]]; then
  for part in "$certificates"/*; do
    part=${part##*/}
    if [[ $part == zookeeper ]]; then
      check zookeeper highAvailability.zookeeper.tls.secretName
      pem
    else
      check "$part" "tls.$part.enabled"
      keystores "$part"
    fi
  done
fi
