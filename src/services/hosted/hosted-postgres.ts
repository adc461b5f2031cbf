import { withPassword } from '../inside.ts'
import type { HostedClient, HostedPlace, Inside } from '../service-type.ts'

/** What of a URL concerns how it is come in to; anything else may be of another program, or a secret. */
const parameters = new Set(['sslmode', 'options', 'target_session_attrs', 'channel_binding'])

/** Owners and grants name them; who logs in as them is not to be had. */
const roles =
  "SELECT format('CREATE ROLE %I NOLOGIN;', rolname) FROM pg_roles WHERE rolname <> 'postgres' AND left(rolname, 3) <> 'pg_' ORDER BY rolname COLLATE \"C\""

export function hostedPostgres(place: HostedPlace): HostedClient {
  const { username, password, data } = place
  const database = data === '' ? username : data
  const words = [connection(place, database)]
  const run = (script: string): Inside =>
    withPassword('PGPASSWORD', `export PGCONNECT_TIMEOUT=10\n${script}`, { words, password })
  const ask = (statement: string) =>
    run(
      `exec psql --no-psqlrc --tuples-only --no-align --no-password --dbname="$1" --command "${statement.replaceAll('"', '\\"')}"`,
    )
  return {
    data: database,
    version: ask('SHOW server_version'),
    // A subscription would take what is meant for the other server.
    dump: (part) =>
      part === 'roles.sql'
        ? ask(roles)
        : run('exec pg_dump --format=custom --compress=0 --no-subscriptions --no-password --dbname="$1"'),
  }
}

/** A URL without the password, which keeps several hosts. */
function connection({ authority, username, query }: HostedPlace, database: string): string {
  const given = [...new URLSearchParams(query.replace(/#.*$/, ''))].filter(([name]) => parameters.has(name))
  const pairs = given.map(([name, value]) => `${name}=${encodeURIComponent(value)}`)
  const user = username === '' ? '' : `${encodeURIComponent(username)}@`
  const tail = pairs.length === 0 ? '' : `?${pairs.join('&')}`
  return `postgresql://${user}${authority}/${encodeURIComponent(database)}${tail}`
}
