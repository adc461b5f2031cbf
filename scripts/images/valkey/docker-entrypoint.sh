#!/bin/sh
set -e

# An option or a configuration file is meant for valkey-server.
if [ "${1#-}" != "$1" ] || [ "${1%.conf}" != "$1" ]; then
  set -- valkey-server "$@"
fi

if [ "$1" = valkey-server ] && [ "$(id -u)" = 0 ]; then
  find . ! -user valkey -exec chown valkey '{}' +
  exec setpriv --reuid=valkey --regid=valkey --clear-groups -- "$0" "$@"
fi

# Without a configuration file it serves its network, as in the image whose name this one bears.
if [ "$1" = valkey-server ] && { [ -z "$2" ] || [ "${2#-}" != "$2" ]; }; then
  shift
  set -- valkey-server --protected-mode no "$@"
fi
umask 0077
exec "$@"
