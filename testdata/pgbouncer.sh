#!/usr/bin/env bash
# Installs PgBouncer where it is missing and may be installed: as root or by sudo
# without a password, on systems with apt-get. Tests start it themselves; the
# package's own service is kept from starting. What cannot be done is said in one
# line and is no failure: the tests say so too.
set -euo pipefail
PATH=$PATH:/usr/sbin:/usr/local/sbin
if command -v pgbouncer >/dev/null; then exit 0; fi
if ! command -v apt-get >/dev/null; then
	echo "pgbouncer: not installed, and no apt-get here; the tests that need it say so"
	exit 0
fi
if [ "$(id -u)" != 0 ]; then
	if sudo -n true 2>/dev/null; then exec sudo -n bash "$0"; fi
	echo "pgbouncer: not installed, and neither root nor sudo without a password; the tests that need it say so"
	exit 0
fi
# The package's start script asks policy-rc.d, if there is one; 101 forbids.
policy=/usr/sbin/policy-rc.d made= log=$(mktemp)
trap 'rm -f "$log" $made' EXIT
if [ ! -e $policy ]; then
	made=$policy
	printf '#!/bin/sh\nexit 101\n' >$policy
	chmod 755 $policy
fi
install() { DEBIAN_FRONTEND=noninteractive timeout 300 apt-get install -y -qq --no-install-recommends pgbouncer; }
if { install || { timeout 120 apt-get update -qq && install; }; } </dev/null >"$log" 2>&1; then
	# Not at the next boot either.
	{ systemctl disable --now pgbouncer || service pgbouncer stop; } >/dev/null 2>&1 || true
else
	echo "pgbouncer: cannot be installed ($(tail -1 "$log")); the tests that need it say so"
fi
