import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { chown, mkdtemp, readdir, rm, stat } from 'node:fs/promises'
import { tmpdir, userInfo } from 'node:os'
import { join } from 'node:path'
import { Client } from 'pg'
import { until } from '../../src/lib/poll.ts'

/** A real Postgres of the test's own, reached by a socket in its directory; gone with the test. */
export interface TestPostgres extends AsyncDisposable {
  /** Makes an empty database. @returns its URL */
  createDatabase(): Promise<string>
  /** Ends the server as a crash would, data kept. */
  stop(): Promise<void>
}

interface Account {
  name: string
  uid: number
  gid: number
}

/**
 * Starts one; a fraction of a second after the first 1–2 s for its files.
 * @throws Error that says what to install
 */
export async function startPostgres(): Promise<TestPostgres> {
  const programs = await findPrograms()
  const account = await unprivileged()
  const directory = await mkdtemp(join(tmpdir(), 'rack-postgres-'))
  await using undo = new AsyncDisposableStack()
  undo.defer(async () => rm(directory, { recursive: true, force: true }))
  await chown(directory, account.uid, account.gid)
  const data = join(directory, 'data')
  await initialise(join(programs, 'initdb'), data, account)
  const server = startServer(join(programs, 'postgres'), { directory, data, account })
  undo.defer(async () => stopServer(server))
  const urlOf = (database: string) =>
    `postgres:///${database}?host=${encodeURIComponent(directory)}&user=${account.name}`
  await until(async () => isReady(urlOf('postgres'), server), {
    deadlineMs: 20_000,
    what: 'Postgres to answer',
  })
  const parts = undo.move()
  let count = 0
  return {
    async createDatabase() {
      const name = `test_${++count}`
      await query(urlOf('postgres'), `create database ${name}`)
      return urlOf(name)
    },
    stop: async () => stopServer(server),
    [Symbol.asyncDispose]: async () => parts.disposeAsync(),
  }
}

/** One statement over a connection of its own. */
export async function query(url: string, text: string): Promise<Record<string, unknown>[]> {
  const client = new Client({ connectionString: url, connectionTimeoutMillis: 5000 })
  await client.connect()
  try {
    return (await client.query<Record<string, unknown>>(text)).rows
  } finally {
    await client.end()
  }
}

/** Debian keeps them off PATH, one directory a version. */
async function findPrograms(): Promise<string> {
  const home = '/usr/lib/postgresql'
  const versions = await readdir(home).catch((): string[] => [])
  const debian = versions.sort((a, b) => Number(b) - Number(a)).map((version) => join(home, version, 'bin'))
  for (const directory of [...debian, ...(process.env['PATH'] ?? '').split(':')]) {
    const isHere = await Promise.all(['initdb', 'postgres'].map((name) => isFile(join(directory, name))))
    if (isHere.every(Boolean)) return directory
  }
  throw new Error('no Postgres server on this machine: apt-get install postgresql')
}

async function isFile(path: string): Promise<boolean> {
  const facts = await stat(path).catch(() => null)
  return facts?.isFile() ?? false
}

/** Postgres refuses to run as root; then it runs as the user that its package has made. */
async function unprivileged(): Promise<Account> {
  const { username: name, uid, gid } = userInfo()
  if (uid !== 0) return { name, uid, gid }
  const idOf = async (flag: string) => Number((await output('id', [flag, 'postgres'])).trim())
  return { name: 'postgres', uid: await idOf('-u'), gid: await idOf('-g') }
}

async function initialise(program: string, data: string, { name, uid, gid }: Account): Promise<void> {
  await output(program, ['-D', data, '-U', name, '-A', 'trust', '-E', 'UTF8', '--locale=C', '--no-sync'], {
    uid,
    gid,
  })
}

function startServer(
  program: string,
  { directory, data, account }: { directory: string; data: string; account: Account },
): ChildProcess {
  // What must outlast a crash is Postgres's own affair here, so it need not wait for the disk.
  const settings = [
    'fsync=off',
    'listen_addresses=',
    `unix_socket_directories=${directory}`,
    'max_connections=60',
  ]
  const command = [program, '-D', data, ...settings.flatMap((setting) => ['-c', setting])]
  // Ends with the test, whatever ends the test.
  const tether = ['--pdeathsig', 'QUIT']
  if (process.getuid?.() === 0) {
    tether.push('--reuid', String(account.uid), '--regid', String(account.gid), '--clear-groups')
  }
  return spawn('setpriv', [...tether, ...command], { stdio: 'ignore', cwd: directory })
}

async function stopServer(server: ChildProcess): Promise<void> {
  if (server.exitCode !== null || server.signalCode !== null) return
  const exit = once(server, 'exit')
  server.kill('SIGQUIT')
  await exit
}

async function isReady(url: string, server: ChildProcess): Promise<boolean> {
  if (server.exitCode !== null) throw new Error(`postgres ended with ${server.exitCode} at its start`)
  return await query(url, 'select 1').then(
    () => true,
    () => false,
  )
}

async function output(
  program: string,
  args: string[],
  as: { uid?: number; gid?: number } = {},
): Promise<string> {
  const child = spawn(program, args, { ...as, stdio: ['ignore', 'pipe', 'pipe'], cwd: '/' })
  const texts = { out: '', error: '' }
  child.stdout.setEncoding('utf8').on('data', (text: string) => (texts.out += text))
  child.stderr.setEncoding('utf8').on('data', (text: string) => (texts.error += text))
  const [code] = (await once(child, 'close')) as [number | null]
  if (code !== 0) throw new Error(`${program} ended with ${code}: ${texts.error}`)
  return texts.out
}
