import type { ScriptHost } from './memory-script.ts'

/** What a database of the in-memory engine knows; it outlives its copies. */
export interface MemoryServer {
  /** Passwords by the name of who may log in. */
  logins: Map<string, string>
  data: Set<string>
}

type Program = (host: ScriptHost, words: string[]) => Promise<number>

const line = (text: string) => Buffer.from(`${text}\n`)

/** What the rack has its services and processes run, by a word that only it has; for others null. */
export function programOf(words: string[]): ((host: ScriptHost) => Promise<number>) | null {
  const [name = '', option, script = ''] = words
  const found = programs.find(({ has }) =>
    name === 'sh' && option === '-c' ? script.includes(has) : name === has,
  )
  return found ? async (host) => await found.run(host, words.slice(4)) : null
}

const programs: { has: string; run: Program }[] = [
  { has: '/dev/tcp/', run: open },
  { has: 'read -r PGPASSWORD', run: logIn },
  { has: 'SHOW server_version', run: async (host) => (await host.output('stdout', line('15.4')), 0) },
  { has: 'psql', run: psql },
  { has: 'du', run: async (host) => (await host.output('stdout', line('12\t/data')), 0) },
]

async function open(host: ScriptHost, [name = '', port = '']: string[]): Promise<number> {
  await host.output('stdout', line('begin'))
  if (host.reach?.(name, Number(port))) return 0
  await host.output('stderr', line(`${name}: Connection refused`))
  return 1
}

async function logIn(host: ScriptHost, [username = '']: string[]): Promise<number> {
  if (host.server?.logins.get(username) === (await inputOf(host)).trim()) return 0
  await host.output('stderr', line('password authentication failed'))
  return 2
}

/** Reads of the statements what the type of service writes: who logs in, who does no more, what there is of data. */
async function psql(host: ScriptHost): Promise<number> {
  const text = await inputOf(host)
  const { logins, data } = host.server!
  for (const [, name, password] of text.matchAll(/ALTER ROLE "([^"]+)" LOGIN INHERIT PASSWORD '([^']*)'/g))
    logins.set(name!, password!)
  for (const [, name] of text.matchAll(/CREATE DATABASE "([^"]+)"/g)) data.add(name!)
  for (const [, name] of text.matchAll(/DROP ROLE "([^"]+)"/g)) logins.delete(name!)
  for (const [, name] of text.matchAll(/DROP DATABASE IF EXISTS "([^"]+)"/g)) data.delete(name!)
  if (text.includes('FROM pg_stat_activity WHERE backend_type')) await host.output('stdout', line('3'))
  if (text.includes('SELECT datname FROM pg_database JOIN pg_roles'))
    for (const name of [...data].sort()) await host.output('stdout', line(name))
  return 0
}

async function inputOf({ input }: ScriptHost): Promise<string> {
  const chunks: Uint8Array[] = []
  for await (const chunk of input ?? []) chunks.push(chunk)
  return Buffer.concat(chunks).toString()
}
