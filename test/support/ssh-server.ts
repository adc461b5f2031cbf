import assert from 'node:assert/strict'
import { execFile, spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { chmod, copyFile, cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { endProcessTree } from '../../src/lib/process-tree.ts'
import type { Said } from './command-line.ts'
import { freePort } from './installed-rack.ts'
import { whenSays } from './saying.ts'

const run = promisify(execFile)
const clone = fileURLToPath(new URL('../..', import.meta.url))

/** An account of this machine that ssh lets in, and from which it is asked for too. */
export interface SshServer extends AsyncDisposable {
  /** Also the name of its group. */
  user: string
  /** Its `.ssh/config` calls this machine `rackhost`. */
  home: string
  port: number
  /** Its own environment, with which it has nothing of the test's. */
  env: Record<string, string>
  /** For what else is to be started as that user. */
  account: { uid: number; gid: number; cwd: string }
  /** Starts `rack` as that user, of whom nothing but the account is left: no group of the API's. */
  start(args: string[], options?: StartOptions): { child: ChildProcess; said: Promise<Said> }
  rack(args: string[], options?: StartOptions): Promise<Said>
  /** What `rack` is when ssh comes in: a shell script, or the program again. */
  setFarRack(script: string | null): Promise<void>
  makeHostKey(): Promise<void>
  /** How many sessions were begun. */
  sessions(): Promise<number>
}

interface StartOptions {
  input?: string
  env?: Record<string, string>
  timeoutMs?: number
}

/** Group in which everybody without one is. */
const nobodysGroup = 65_534

/** Starts a real sshd on a port of loopback with keys of its own, and makes an account; both are gone when it is disposed. */
export async function startSshServer(): Promise<SshServer> {
  await using undo = new AsyncDisposableStack()
  const user = `rack-e2e-${process.pid}`
  const home = await mkdtemp(join(tmpdir(), `${user}-`))
  undo.defer(() => rm(home, { recursive: true, force: true }))
  await chmod(home, 0o755)
  await run('useradd', [
    '--no-create-home',
    '--home-dir',
    home,
    '--shell',
    '/bin/sh',
    '--password',
    '*',
    user,
  ])
  undo.defer(async () => void (await run('userdel', ['--force', user])))
  const uid = Number((await run('id', ['-u', user])).stdout)
  const port = await freePort()
  await copyProgram(join(home, 'program'))
  const folders = ['.ssh', '.config', 'server', 'far']
  for (const folder of folders) await mkdir(join(home, folder))
  const makeHostKey = () => makeKey(join(home, 'server/key'))
  await makeHostKey()
  await makeKey(join(home, '.ssh/id_ed25519'))
  await copyFile(join(home, '.ssh/id_ed25519.pub'), join(home, '.ssh/authorized_keys'))
  await writeFile(join(home, '.ssh/config'), `Host rackhost\n  HostName 127.0.0.1\n  Port ${port}\n`)
  await writeFile(join(home, 'server/config'), serverConfig(home, port))
  await run('chown', ['-R', user, join(home, '.ssh'), join(home, '.config')])
  const setFarRack: SshServer['setFarRack'] = async (script) => {
    const path = join(home, 'far/rack')
    await writeFile(path, `#!/bin/sh\n${script ?? `exec ${home}/program/bin/rack "$@"`}\n`)
    await chmod(path, 0o755)
  }
  await setFarRack(null)
  const daemon = await startDaemon(home)
  undo.defer(() => endProcessTree(daemon.pid!, 5000))
  const env = { HOME: home, USER: user, PATH: `${home}/program/bin:/usr/bin:/bin`, NO_COLOR: '1' }
  const account = { uid, gid: nobodysGroup, cwd: home }
  const start: SshServer['start'] = (args, options = {}) => startAs(account, env, args, options)
  const parts = undo.move()
  return {
    user,
    home,
    port,
    env,
    account,
    start,
    rack: (args, options) => start(args, options).said,
    setFarRack,
    makeHostKey,
    sessions: async () =>
      (await readFile(join(home, 'server/log'), 'utf8')).split('Starting session').length - 1,
    [Symbol.asyncDispose]: () => parts.disposeAsync(),
  }
}

/** Another user may not look into the clone. */
async function copyProgram(to: string): Promise<void> {
  await mkdir(join(to, 'node_modules/.bin'), { recursive: true })
  for (const folder of ['bin', 'dist']) await cp(join(clone, folder), join(to, folder), { recursive: true })
  await copyFile(join(clone, 'package.json'), join(to, 'package.json'))
  await copyFile(process.execPath, join(to, 'node_modules/.bin/node'))
}

async function makeKey(path: string): Promise<void> {
  for (const file of [path, `${path}.pub`]) await rm(file, { force: true })
  await run('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', path])
}

/** Ten sessions for a connection is what servers allow, and what this one is left at. */
function serverConfig(home: string, port: number): string {
  return [
    `Port ${port}`,
    'ListenAddress 127.0.0.1',
    `HostKey ${home}/server/key`,
    'PidFile none',
    'UsePAM no',
    'StrictModes no',
    'PasswordAuthentication no',
    'LogLevel VERBOSE',
    `SetEnv PATH=${home}/far:/usr/bin:/bin`,
    '',
  ].join('\n')
}

async function startDaemon(home: string): Promise<ChildProcess> {
  // The package's unit makes it where one runs.
  await mkdir('/run/sshd', { recursive: true, mode: 0o755 })
  const args = ['-D', '-e', '-f', join(home, 'server/config')]
  const daemon = spawn('/usr/sbin/sshd', args, { stdio: ['ignore', 'ignore', 'pipe'] })
  const log: string[] = []
  const file = join(home, 'server/log')
  await writeFile(file, '')
  daemon.stderr.on('data', (text: Buffer) => {
    log.push(text.toString())
    void writeFile(file, log.join(''))
  })
  await whenSays(daemon, /Server listening/)
  return daemon
}

function startAs(
  account: SshServer['account'],
  env: Record<string, string>,
  args: string[],
  { input = '', env: more = {}, timeoutMs = 120_000 }: StartOptions,
): { child: ChildProcess; said: Promise<Said> } {
  const path = join(account.cwd, 'program/bin/rack')
  const child = spawn(path, args, { ...account, env: { ...env, ...more }, stdio: 'pipe' })
  const timer = setTimeout(() => child.kill('SIGKILL'), timeoutMs)
  let [stdout, stderr] = ['', '']
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text))
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text))
  child.stdin.on('error', () => undefined)
  child.stdin.end(input)
  const said = once(child, 'close').then(([code]) => {
    clearTimeout(timer)
    return { code: code as number | null, stdout, stderr }
  })
  return { child, said }
}

/** What a command printed. @throws AssertionError when it failed */
export async function passed(said: Promise<Said>): Promise<string> {
  const { code, stdout, stderr } = await said
  assert.equal(code, 0, `${stdout}\n${stderr}`)
  return stdout
}
