#!/bin/bash
set -Eeuo pipefail

[[ ${1-} == -* ]] && set -- postgres "$@"
[[ ${1-} == postgres ]] || exec "$@"

if [[ $(id -u) == 0 ]]; then
  mkdir -p "$PGDATA"
  chmod 700 "$PGDATA"
  find "$PGDATA" ! -user postgres -exec chown postgres '{}' +
  exec setpriv --reuid=postgres --regid=postgres --init-groups -- "$0" "$@"
fi

# `NAME_FILE` holds the value of `NAME`, for secrets that come as files.
value_of() {
  local file="${1}_FILE"
  if [[ -n ${!file-} ]]; then cat "${!file}"; else printf %s "${!1-$2}"; fi
}

if [[ ! -s $PGDATA/PG_VERSION ]]; then
  user=$(value_of POSTGRES_USER postgres)
  database=$(value_of POSTGRES_DB "$user")
  password=$(value_of POSTGRES_PASSWORD '')
  method=${POSTGRES_HOST_AUTH_METHOD:-scram-sha-256}
  if [[ -z $password && $method != trust ]]; then
    echo 'Error: Database is uninitialized and superuser password is not specified.' >&2
    echo '       Set POSTGRES_PASSWORD to a non-empty value for the superuser.' >&2
    exit 1
  fi
  initdb --username="$user" --pwfile=<(printf '%s\n' "$password") ${POSTGRES_INITDB_ARGS-}
  printf '\nhost all all all %s\n' "$method" >>"$PGDATA/pg_hba.conf"

  # First start without the network, so that nobody connects before the database is whole.
  pg_ctl --options="-c listen_addresses=''" --wait start
  psql=(psql --set ON_ERROR_STOP=1 --no-password --username "$user")
  if [[ $database != postgres ]]; then
    "${psql[@]}" --dbname postgres --set name="$database" <<<'CREATE DATABASE :"name";'
  fi
  for file in /docker-entrypoint-initdb.d/*; do
    case $file in
      *.sh) if [[ -x $file ]]; then "$file"; else . "$file"; fi ;;
      *.sql) "${psql[@]}" --dbname "$database" --file "$file" ;;
      *.sql.gz) gunzip --stdout "$file" | "${psql[@]}" --dbname "$database" ;;
    esac
  done
  pg_ctl --mode=fast --wait stop
fi
exec "$@"
