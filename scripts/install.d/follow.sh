#!/usr/bin/env bash
# logrotate, as Debian has it: what turns logs over on most servers.
# usage: scripts/install.d/follow.sh
set -euo pipefail
if [ ! -x /usr/sbin/logrotate ]; then
  echo "== installing logrotate"
  sudo=""; [ "$(id -u)" = 0 ] || sudo=sudo
  $sudo apt-get update -qq
  DEBIAN_FRONTEND=noninteractive $sudo apt-get install -y -qq --no-install-recommends logrotate >/dev/null
fi
