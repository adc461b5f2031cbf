#!/bin/bash
set -Eeuo pipefail

if [[ ${1-} == rabbitmq* && $(id -u) == 0 ]]; then
  if [[ $1 == rabbitmq-server ]]; then
    find /var/lib/rabbitmq /etc/rabbitmq ! -user rabbitmq -exec chown rabbitmq '{}' +
  fi
  exec setpriv --reuid=rabbitmq --regid=rabbitmq --init-groups -- "$0" "$@"
fi

# The first start makes this user, as the server's own settings say it.
if [[ ${1-} == rabbitmq-server ]]; then
  settings=/etc/rabbitmq/conf.d/10-defaults.conf
  {
    echo 'loopback_users.guest = false'
    [[ -z ${RABBITMQ_DEFAULT_USER-} ]] || echo "default_user = $RABBITMQ_DEFAULT_USER"
    [[ -z ${RABBITMQ_DEFAULT_PASS-} ]] || echo "default_pass = $RABBITMQ_DEFAULT_PASS"
    [[ -z ${RABBITMQ_DEFAULT_VHOST-} ]] || echo "default_vhost = $RABBITMQ_DEFAULT_VHOST"
  } >"$settings"
fi
exec "$@"
