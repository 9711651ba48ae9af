#!/usr/bin/env bash
# The fluent-loggers for Python, Node.js (both) and Go: each in a folder of its own, from its registry, once.
# usage: tools=FOLDER scripts/install.d/forward.sh
set -euo pipefail
home="${tools:?}/forward"
source="$(cd "$(dirname "$0")/../../tests/senders/fluent" && pwd)"
mkdir -p "$home"

if [ ! -e "$home/python/done" ]; then
  echo "== installing fluent-logger (Python)"
  python3 -m venv "$home/python"
  "$home/python/bin/pip" install -q --disable-pip-version-check "fluent-logger>=0.11,<1"
  touch "$home/python/done"
fi

if command -v npm >/dev/null && [ ! -d "$home/node/node_modules/@fluent-org/logger" ]; then
  echo "== installing fluent-logger and @fluent-org/logger (Node.js)"
  npm install --silent --no-fund --no-audit --prefix "$home/node" "fluent-logger@3" "@fluent-org/logger@1"
fi

if command -v go >/dev/null; then
  if [ ! -x "$home/go" ] || [ "$source/go/main.go" -nt "$home/go" ]; then
    echo "== building with fluent-logger-golang (Go)"
    (cd "$source/go" && go build -o "$home/go" .)
  fi
fi
