#!/usr/bin/env bash
# What speaks to a Logstash: python-logstash and python-logstash-async, winston-logstash, go-lumber, and the logback encoder with
# Logback: each in a folder of its own, from its registry, once.
# usage: tools=FOLDER scripts/install.d/logstash.sh
set -euo pipefail
home="${tools:?}/logstash"
source="$(cd "$(dirname "$0")/../../tests/senders/logstash" && pwd)"
mkdir -p "$home"

if [ ! -e "$home/python/done" ]; then
  echo "== installing python-logstash and python-logstash-async (Python)"
  python3 -m venv "$home/python"
  "$home/python/bin/pip" install -q --disable-pip-version-check "python-logstash>=0.4,<1" "python-logstash-async>=4,<5"
  touch "$home/python/done"
fi

if command -v npm >/dev/null && [ ! -d "$home/node/node_modules/winston-logstash" ]; then
  echo "== installing winston and winston-logstash (Node.js)"
  npm install --silent --no-fund --no-audit --prefix "$home/node" "winston@3" "winston-logstash@2"
fi

if command -v go >/dev/null; then
  if [ ! -x "$home/golumber" ] || [ "$source/golumber/main.go" -nt "$home/golumber" ]; then
    echo "== building with go-lumber (Go)"
    (cd "$source/golumber" && go build -o "$home/golumber" .)
  fi
fi

if command -v mvn >/dev/null && [ ! -s "$home/logback/classpath" ]; then
  echo "== installing logstash-logback-encoder (Java)"
  mkdir -p "$home/logback"
  cp "$source/pom.xml" "$home/logback/pom.xml"
  (cd "$home/logback" && mvn -q dependency:build-classpath -Dmdep.outputFile=classpath >/dev/null)
fi
