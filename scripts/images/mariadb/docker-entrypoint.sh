#!/bin/bash
set -Eeuo pipefail

[[ ${1-} == -* ]] && set -- mariadbd "$@"
[[ ${1-} == mysqld ]] && set -- mariadbd "${@:2}"
[[ ${1-} == mariadbd ]] || exec "$@"

data=/var/lib/mysql
if [[ $(id -u) == 0 ]]; then
  find "$data" /run/mysqld ! -user mysql -exec chown mysql:mysql '{}' +
  exec setpriv --reuid=mysql --regid=mysql --init-groups -- "$0" "$@"
fi

# A variable has a name of each of the two; `NAME_FILE` holds the value of `NAME`, for secrets that come as files.
value_of() {
  local name file
  for name in "MARIADB_$1" "MYSQL_$1"; do
    file=${name}_FILE
    if [[ -n ${!file-} ]]; then cat "${!file}" && return; fi
    if [[ -n ${!name-} ]]; then printf %s "${!name}" && return; fi
  done
}

# As a literal of SQL.
quoted() {
  local text=${1//\\/\\\\}
  printf "'%s'" "${text//\'/\\\'}"
}

if [[ ! -d $data/mysql ]]; then
  root=$(value_of ROOT_PASSWORD) database=$(value_of DATABASE) user=$(value_of USER) password=$(value_of PASSWORD)
  root_host=$(value_of ROOT_HOST)
  if [[ -z $root && -z $(value_of ALLOW_EMPTY_ROOT_PASSWORD)$(value_of ALLOW_EMPTY_PASSWORD) ]]; then
    echo 'Database is uninitialized and password option is not specified' >&2
    echo '    You need to specify one of MARIADB_ROOT_PASSWORD, MARIADB_ALLOW_EMPTY_ROOT_PASSWORD' >&2
    exit 1
  fi
  mariadb-install-db --datadir="$data" --auth-root-authentication-method=normal --skip-test-db >/dev/null

  # First start without the network, so that nobody connects before the database is whole.
  "$@" --skip-networking --socket=/run/mysqld/init.sock &
  server=$!
  client=(mariadb --no-defaults --protocol=socket --socket=/run/mysqld/init.sock --user=root)
  for _ in {1..300}; do
    "${client[@]}" --execute 'SELECT 1' >/dev/null 2>&1 && break
    kill -0 "$server" || exit 1
    sleep 0.1
  done
  {
    echo "DELETE FROM mysql.global_priv WHERE user = '' OR (user = 'root' AND host <> 'localhost');"
    echo "DELETE FROM mysql.proxies_priv WHERE host <> 'localhost'; FLUSH PRIVILEGES;"
    [[ -z $database ]] || echo "CREATE DATABASE \`${database//\`/\`\`}\`;"
    if [[ -n $user ]]; then
      echo "CREATE USER $(quoted "$user")@'%' IDENTIFIED BY $(quoted "$password");"
      [[ -z $database ]] || echo "GRANT ALL ON \`${database//_/\\_}\`.* TO $(quoted "$user")@'%';"
    fi
    if [[ ${root_host:-%} != localhost ]]; then
      echo "CREATE USER 'root'@$(quoted "${root_host:-%}") IDENTIFIED BY $(quoted "$root");"
      echo "GRANT ALL ON *.* TO 'root'@$(quoted "${root_host:-%}") WITH GRANT OPTION;"
    fi
    echo "SET PASSWORD FOR 'root'@'localhost' = PASSWORD($(quoted "$root"));"
  } | "${client[@]}"
  export MYSQL_PWD=$root
  for file in /docker-entrypoint-initdb.d/*; do
    case $file in
      *.sh) if [[ -x $file ]]; then "$file"; else . "$file"; fi ;;
      *.sql) "${client[@]}" ${database:+--database="$database"} <"$file" ;;
      *.sql.gz) gunzip --stdout "$file" | "${client[@]}" ${database:+--database="$database"} ;;
    esac
  done
  kill "$server"
  wait "$server" || true
  unset MYSQL_PWD
fi
exec "$@"
