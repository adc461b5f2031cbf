import { spawn } from 'node:child_process'
import { access, constants, open, readFile, rm } from 'node:fs/promises'
import { setTimeout as delay } from 'node:timers/promises'
import Docker from 'dockerode'
import { say, SetupError, step } from './progress.ts'
import { isRoot, run, succeeds } from './shell.ts'

const pidFile = '/var/run/docker.pid'
const logFile = '/var/log/dockerd.log'
const socket = '/var/run/docker.sock'

/** A client of the machine's Docker Engine; DOCKER_HOST is honoured, as by every Docker program. */
export const docker = new Docker()

/** Tells whether a Docker Engine answers within three seconds. */
async function engineAnswers(): Promise<boolean> {
  return Promise.race([succeeds(docker.ping()), delay(3_000, false, { ref: false })])
}

/**
 * Names the packages without which no engine can answer here: none when one does.
 * @throws SetupError when the engine is somebody else's to start or to open
 */
export async function packagesForEngine(): Promise<string[]> {
  if (await engineAnswers()) return []
  if (process.env['DOCKER_HOST']) {
    throw new SetupError(
      `no Docker Engine answers at DOCKER_HOST=${process.env['DOCKER_HOST']}`,
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
  if (hasSystemd) await run('systemctl', ['start', 'docker'])
  else if (!(await clearOldPidFile())) await spawnDaemon()
  const deadline = performance.now() + 60_000
  while (!(await engineAnswers())) {
    if (performance.now() > deadline) {
      const log = hasSystemd ? 'journalctl -u docker -n 30' : `tail -n 30 ${logFile}`
      throw new SetupError('the Docker Engine did not answer within 60 s', `Its reason: ${log}`)
    }
    await delay(200)
  }
}

/**
 * A killed engine leaves its pid file, and stays a zombie for seconds if nothing reaps it; a new one refuses to start
 * until both are gone. Returns true when the file names a live engine, which then only needs waiting for.
 */
async function clearOldPidFile(): Promise<boolean> {
  const pid = Number(await readFile(pidFile, 'utf8').catch(() => ''))
  if (!pid) return false
  const deadline = performance.now() + 15_000
  for (;;) {
    const found = await processState(pid)
    if (found?.name !== 'dockerd') break
    if (found.state !== 'Z') {
      say(`a Docker Engine is coming up already (process ${pid})`)
      return true
    }
    if (performance.now() > deadline) {
      throw new SetupError(
        `the old Docker Engine (process ${pid}) is dead but not reaped`,
        'Type: scripts/setup',
      )
    }
    await delay(200)
  }
  await rm(pidFile, { force: true })
  return false
}

async function processState(pid: number): Promise<{ name: string; state: string } | null> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => null)
  if (status === null) return null
  const field = (name: string) => new RegExp(`^${name}:\\s+(\\S+)`, 'm').exec(status)?.[1] ?? ''
  return { name: field('Name'), state: field('State') }
}

/** Starts dockerd with its defaults in a session of its own, so that it outlives this program and its shell. */
async function spawnDaemon(): Promise<void> {
  const log = await open(logFile, 'a')
  try {
    const daemon = spawn('dockerd', [], { detached: true, stdio: ['ignore', log.fd, log.fd], cwd: '/' })
    await new Promise<void>((resolve, reject) => daemon.once('spawn', resolve).once('error', reject))
    daemon.unref()
  } finally {
    await log.close()
  }
}
