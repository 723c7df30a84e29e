#!/bin/sh
# Installs the real services that some integration tests talk to, where they are missing: Prometheus
# with its promtool, Alertmanager, Chromium with a font, which the dashboard's page is looked at in, Redis and PostgreSQL. Needs Debian or
# Ubuntu, and root; starts nothing.
# Refuse with VENUEKIT_NO_INSTALL=1: the tests that need them then say that they were skipped.
set -eu

install_missing() {
  command="$1"
  shift
  package="$*"
  if command -v "$command" >/dev/null 2>&1; then
    echo "install-test-services: $command is there"
    return
  fi
  if [ "${VENUEKIT_NO_INSTALL:-}" = 1 ]; then
    echo "install-test-services: $command is missing, and VENUEKIT_NO_INSTALL=1 says not to install $package" >&2
    return
  fi
  if ! command -v apt-get >/dev/null 2>&1 || [ "$(id -u)" != 0 ]; then
    echo "install-test-services: $command is missing; installing $package needs apt-get and root" >&2
    return
  fi
  echo "install-test-services: installing the Debian package $package for $command"
  # policy-rc.d: the package must not start its service.
  policy=/usr/sbin/policy-rc.d
  made_policy=no
  if [ ! -e "$policy" ]; then
    printf '#!/bin/sh\nexit 101\n' >"$policy"
    chmod +x "$policy"
    made_policy=yes
  fi
  apt-get update -q >/dev/null || true
  DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends "$@" >/dev/null || echo "install-test-services: $package could not be installed" >&2
  [ "$made_policy" = yes ] && rm -f "$policy"
  return 0
}

install_missing promtool prometheus
install_missing prometheus-alertmanager prometheus-alertmanager
install_missing chromium chromium fonts-dejavu-core
install_missing redis-server redis-server
# PostgreSQL's programs lie in a folder of their version, outside of PATH.
if [ -n "$(ls -d /usr/lib/postgresql/*/bin/initdb 2>/dev/null)" ]; then
  echo "install-test-services: postgresql is there"
else
  install_missing postgresql postgresql
fi
