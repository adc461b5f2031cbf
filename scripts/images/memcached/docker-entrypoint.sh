#!/bin/sh
set -e

# An option is meant for memcached.
if [ "${1#-}" != "$1" ]; then
  set -- memcached "$@"
fi
exec "$@"
