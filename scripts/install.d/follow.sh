#!/usr/bin/env bash
# logrotate, as Debian has it: what turns logs over on most servers.
# usage: tools=FOLDER scripts/install.d/follow.sh
set -euo pipefail
if [ ! -x /usr/sbin/logrotate ]; then
  # One at a time: apt waits for nobody.
  exec 9>"${tools:?}/apt.lock" && flock 9
  echo "== installing logrotate"
  sudo=""; [ "$(id -u)" = 0 ] || sudo=sudo
  $sudo apt-get update -qq
  DEBIAN_FRONTEND=noninteractive $sudo apt-get install -y -qq --no-install-recommends logrotate >/dev/null
fi
