#!/usr/bin/env bash
# rsyslog and syslog-ng with their Elasticsearch outputs: Debian's packages, unpacked side by side (installed, one would put out
# the other), with the libraries that this machine lacks. Programs in syslog/root/usr/sbin, their libraries beside them.
# usage: tools=FOLDER scripts/install.d/syslog.sh
set -euo pipefail
home="${tools:?}/syslog"
[ -d "$home/root/usr/share/syslog-ng/include/scl" ] || rm -f "$home/done"
if [ -e "$home/done" ] || ! command -v apt-get >/dev/null; then exit 0; fi

# One at a time: apt waits for nobody.
exec 9>"$tools/apt.lock" && flock 9
echo "== unpacking rsyslog and syslog-ng"
sudo=""; [ "$(id -u)" = 0 ] || sudo=sudo
mkdir -p "$home/root"
$sudo apt-get update -qq
for packages in "rsyslog rsyslog-elasticsearch" "syslog-ng-core syslog-ng-mod-http syslog-ng-scl"; do
  # What it would install is fetched, and nothing installed.
  $sudo mkdir -p "$home/debs/partial"
  # shellcheck disable=SC2086 # a list of names
  $sudo apt-get install -y -qq --download-only --no-install-recommends -o Dir::Cache::archives="$home/debs" $packages >/dev/null
done
for package in "$home"/debs/*.deb; do dpkg -x "$package" "$home/root"; done
$sudo rm -rf "$home/debs"
touch "$home/done"
