import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { access, constants, open, rm } from 'node:fs/promises'
import { setTimeout as delay } from 'node:timers/promises'
import { RackError } from '../../src/domain/error.ts'
import { connectDocker } from '../../src/engines/docker/client.ts'
import { dockerSocket } from '../../src/lib/docker-socket.ts'
import { readProcess, readTextIfThere } from '../../src/lib/files.ts'
import { say, SetupError, step } from './progress.ts'
import { isRoot, run, succeeds } from './shell.ts'

const logFile = '/var/log/dockerd.log'
const named = process.env['DOCKER_HOST']
const socket = dockerSocket(process.env)

/** A client of the machine's Docker Engine; a socket in DOCKER_HOST is honoured, as by every Docker program. */
export const docker = connectDocker({ socketPath: socket })

/** Work on the engine that may take as long as a program. */
export const control = { signal: new AbortController().signal, report: () => undefined }

/**
 * Tells whether a Docker Engine answers within three seconds.
 * @throws SetupError when it is too old
 */
async function engineAnswers(): Promise<boolean> {
  try {
    await docker.json({ path: '/version', deadlineMs: 3_000 }, control)
    return true
  } catch (error) {
    if (!(error instanceof RackError)) throw error
    if (error.code === 'unsupported') throw new SetupError(error.message, error.hint ?? 'Update it', error)
    return false
  }
}

/**
 * Names the packages without which no engine can answer here: none when one does.
 * @throws SetupError when the engine is somebody else's to start or to open
 */
export async function packagesForEngine(): Promise<string[]> {
  if (named && !named.startsWith('unix://')) {
    throw new SetupError(`DOCKER_HOST=${named} is no socket of this machine`, 'Type: unset DOCKER_HOST')
  }
  if (await engineAnswers()) return []
  if (named) {
    throw new SetupError(
      `no Docker Engine answers at DOCKER_HOST=${named}`,
      'Type: unset DOCKER_HOST, or start that engine',
    )
  }
  await refuseForbiddenSocket()
  if (!isRoot()) throw new SetupError('no Docker Engine answers', 'Type: sudo scripts/setup')
  return ['docker.io']
}

/** Starts the installed Docker Engine unless one answers; a running one is never restarted or configured. */
export async function ensureEngine(): Promise<void> {
  if (await engineAnswers()) return
  await step('starting the Docker Engine', start)
}

async function refuseForbiddenSocket(): Promise<void> {
  const code = await access(socket, constants.R_OK | constants.W_OK).then(
    () => null,
    (error: NodeJS.ErrnoException) => error.code,
  )
  if (code !== 'EACCES') return
  throw new SetupError(
    `this user may not use ${socket}`,
    'Type: sudo usermod -aG docker "$USER", then log in again; or run as root',
  )
}

async function start(): Promise<void> {
  const hasSystemd = await succeeds(access('/run/systemd/system'))
  const log = hasSystemd ? 'journalctl -u docker -n 30' : `tail -n 30 ${logFile}`
  let hasDied = false
  if (hasSystemd) await run('systemctl', ['start', 'docker'])
  else if (await outlived('dockerd', '/var/run/docker.pid')) say('a Docker Engine is coming up already')
  else {
    await outlived('containerd', '/var/run/docker/containerd/containerd.pid')
    const daemon = await spawnDaemon()
    daemon.once('exit', () => {
      hasDied = true
    })
  }
  const deadline = performance.now() + 60_000
  while (!(await engineAnswers())) {
    if (hasDied) throw new SetupError('the Docker Engine ended at once', `Its reason: ${log}`)
    if (performance.now() > deadline) {
      throw new SetupError('the Docker Engine did not answer within 60 s', `Its reason: ${log}`)
    }
    await delay(100)
  }
}

/**
 * Tells whether the process that a pid file names is alive; if not, removes the file, with which a new engine refuses
 * to start. A killed one stays a zombie for seconds, for ever where nothing reaps: the dead hold no lock.
 */
async function outlived(program: string, pidFile: string): Promise<boolean> {
  const pid = (await readTextIfThere(pidFile)) ?? ''
  const deadline = performance.now() + 5_000
  let state = await stateOf(program, pid.trim())
  while (state === 'Z' && performance.now() < deadline) {
    await delay(100)
    state = await stateOf(program, pid.trim())
  }
  if (state && state !== 'Z') return true
  await rm(pidFile, { force: true })
  return false
}

/** The state letter of a process, or nothing when that number is free or belongs to another program by now. */
async function stateOf(program: string, pid: string): Promise<string | undefined> {
  const status = (pid && (await readProcess(pid, 'status'))) || ''
  const [name, state] = ['Name', 'State'].map(
    (field) => new RegExp(`^${field}:\\s+(\\S+)`, 'm').exec(status)?.[1],
  )
  return name === program ? state : undefined
}

/** Starts dockerd with its defaults in a session of its own, so that it outlives this program and its shell. */
async function spawnDaemon(): Promise<ChildProcess> {
  const log = await open(logFile, 'a')
  try {
    const daemon = spawn('dockerd', [], { detached: true, stdio: ['ignore', log.fd, log.fd], cwd: '/' })
    await new Promise<void>((resolve, reject) => daemon.once('spawn', resolve).once('error', reject))
    daemon.unref()
    return daemon
  } finally {
    await log.close()
  }
}
