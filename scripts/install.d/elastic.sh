#!/usr/bin/env bash
# The official Elasticsearch clients for Python 7, 8 and 9, for Node.js and for Go, and OpenSearch's for Python: each in a folder
# of its own, from its registry, once.
# usage: tools=FOLDER scripts/install.d/elastic.sh
set -euo pipefail
home="${tools:?}/elastic"
senders="$(cd "$(dirname "$0")/../../tests/senders" && pwd)"
mkdir -p "$home"

python() { # name, requirement
  if [ ! -e "$home/$1/done" ]; then
    echo "== installing $2 (Python)"
    python3 -m venv "$home/$1"
    "$home/$1/bin/pip" install -q --disable-pip-version-check "$2"
    touch "$home/$1/done"
  fi
}
python py7 "elasticsearch>=7.17,<8"
python py8 "elasticsearch>=8,<9"
python py9 "elasticsearch>=9,<10"
python opensearch "opensearch-py>=3,<4"

if command -v npm >/dev/null && [ ! -d "$home/node/node_modules/@elastic/elasticsearch" ]; then
  echo "== installing @elastic/elasticsearch (Node.js)"
  npm install --silent --no-fund --no-audit --prefix "$home/node" "@elastic/elasticsearch@9"
fi

if command -v go >/dev/null; then
  for major in 8 9; do
    source="$senders/elastic/go$major"
    if [ ! -x "$home/go$major" ] || [ "$source/main.go" -nt "$home/go$major" ]; then
      echo "== building with go-elasticsearch $major (Go)"
      (cd "$source" && go build -o "$home/go$major" .)
    fi
  done
fi
