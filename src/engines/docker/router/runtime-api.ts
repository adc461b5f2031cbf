import { once } from 'node:events'
import { connect } from 'node:net'
import type { Control } from '../../../domain/control.ts'
import { RackError } from '../../../domain/error.ts'
import { withDeadline } from '../../../lib/deadline.ts'
import { until } from '../../../lib/poll.ts'
import { masterSocket, statsSocket } from './haproxy-config.ts'

const commandDeadlineMs = 10_000

/** Longer than a master needs to listen again. */
const restartMs = 3000

/** The workers of one HAProxy: one serves, others finish their last connections after a reload. */
export interface Workers {
  master: number
  /** Null while none is ready. */
  current: number | null
  leaving: number[]
  /** Reloads since the last good one. */
  failedReloads: number
}

/** One server as HAProxy sees it now. */
export interface ServerState {
  backend: string
  name: string
  address: string
  port: number
  isUp: boolean
  admin: 'ready' | 'drain' | 'maint'
  secondsSinceChange: number
}

/** One line of HAProxy's statistics; `server` is null for the sum of a backend. */
export interface Statistics {
  backend: string
  server: string | null
  mode: 'http' | 'tcp'
  /** Requests of HTTP, connections of TCP. */
  requests: number
  /** Answers with a status from 500. */
  serverErrors: number
  connectErrors: number
  responseErrors: number
  /** Transfers that the server cut. */
  serverAborts: number
  /** Sessions and waiting requests now. */
  busy: number
  /** The longest seen since the maxima were cleared: waiting in the queue, connecting, until the first byte. */
  longestMs: number
}

/** One connection, or one request on it, and the server (`backend/name`) that serves it. */
export interface Session {
  id: string
  server: string
  /** Its address and port. */
  client: string
}

/** HAProxy's own control channel, by way of its master: a command names the worker it is meant for. */
export interface RuntimeApi {
  workers(control: Control): Promise<Workers>
  /** Fields of `show info`, by their names. */
  info(worker: number, control: Control): Promise<Map<string, string>>
  servers(worker: number, control: Control): Promise<ServerState[]>
  statistics(worker: number, control: Control): Promise<Statistics[]>
  sessions(worker: number, control: Control): Promise<Session[]>
  /** Keeps the serving worker from ending, though a reload replaces it, until disposed; its counters can be read. */
  hold(control: Control): Promise<Disposable>
  /** Sends a command that changes something; `expected` are the replies that mean it was done, besides none. */
  change(worker: number, command: string, expected: RegExp | null, control: Control): Promise<void>
}

/**
 * Speaks to the HAProxy of a directory. Every method has a deadline of 10 s.
 *
 * @throws host-failed when it does not answer, or refuses
 */
export function createRuntimeApi(directory: string): RuntimeApi {
  const socket = masterSocket(directory)
  const send = (command: string, control: Control) => sendCommand(socket, command, control)
  const ask = async (worker: number, command: string, control: Control): Promise<string> => {
    const reply = await send(`@!${worker} ${command}`, control)
    if (reply.startsWith("Can't find the target")) {
      throw new RackError('host-failed', `the router's worker ${worker} is gone`)
    }
    return reply
  }
  return {
    workers: async (control) => parseWorkers(await send('show proc', control)),
    info: async (worker, control) => parseInfo(await ask(worker, 'show info', control)),
    servers: async (worker, control) => parseServers(await ask(worker, 'show servers state', control)),
    statistics: async (worker, control) => parseStatistics(await ask(worker, 'show stat -1 6 -1', control)),
    sessions: async (worker, control) => parseSessions(await ask(worker, 'show sess', control)),
    hold: (control) => holdWorker(statsSocket(directory), control),
    async change(worker, command, expected, control) {
      const reply = (await ask(worker, command, control)).trim()
      if (reply === '' || expected?.test(reply)) return
      throw new RackError('host-failed', `the router refused "${command}": ${reply.split('\n')[0]}`)
    },
  }
}

async function sendCommand(path: string, command: string, control: Control): Promise<string> {
  const end = performance.now() + restartMs
  const talk = async (signal: AbortSignal): Promise<{ reply: string } | null> => {
    try {
      return { reply: await exchange(path, command, signal) }
    } catch (error) {
      if (performance.now() > end || !mayPass(error, command)) throw error
      return null
    }
  }
  const options = { deadlineMs: commandDeadlineMs, what: 'the router to answer' }
  return await inTime(async (signal) => (await until(talk, { ...options, signal })).reply, control)
}

/**
 * A master that has just started, or reloads, replaces itself by a new program and opens its socket again: for a moment
 * nobody listens, or a connection is cut. What was cut may have been carried out, so only questions are asked again.
 */
function mayPass(error: unknown, command: string): boolean {
  const { code } = error as NodeJS.ErrnoException
  if (code === 'ECONNREFUSED' || code === 'ENOENT') return true
  return (code === 'ECONNRESET' || code === 'EPIPE') && /^(@!\d+ )?show /.test(command)
}

async function inTime<T>(talk: (signal: AbortSignal) => Promise<T>, { signal }: Control): Promise<T> {
  try {
    return await withDeadline({ deadlineMs: commandDeadlineMs, what: 'the router to answer', signal }, talk)
  } catch (error) {
    signal.throwIfAborted()
    throw new RackError('host-failed', 'the router does not answer on its control socket', {
      hint: 'Its log is router.log in its directory.',
      cause: error,
    })
  }
}

function exchange(path: string, command: string, signal: AbortSignal): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>()
  let reply = ''
  // The master answers when our side has ended, and ends its own when the answer is whole.
  const socket = connect({ path, allowHalfOpen: true, signal }, () => socket.end(`${command}\n`))
  socket.setEncoding('utf8')
  socket.on('data', (piece: string) => (reply += piece))
  socket.on('end', () => resolve(reply))
  socket.on('error', reject)
  return promise.finally(() => socket.destroy())
}

/** An open session of its control channel is a connection that the worker waits for. */
async function holdWorker(path: string, control: Control): Promise<Disposable> {
  const socket = connect({ path })
  try {
    await inTime(async (signal) => {
      socket.write('prompt\n')
      await once(socket, 'data', { signal })
    }, control)
  } catch (error) {
    socket.destroy()
    throw error
  }
  // The worker may be killed while it is held.
  socket.on('error', () => socket.destroy())
  return { [Symbol.dispose]: () => socket.destroy() }
}

/** @see management.txt, "show proc": sections of rows; the fields of a row are pid, type, reloads, uptime. */
export function parseWorkers(text: string): Workers {
  const found: Workers = { master: 0, current: null, leaving: [], failedReloads: 0 }
  let isOld = false
  for (const line of text.split('\n')) {
    if (line.startsWith('#')) isOld = line.includes('old workers') || (isOld && !line.includes('workers'))
    const row = /^(\d+)\s+(\w+)\s+\d+(?: \[failed: (\d+)\])?/.exec(line)
    if (!row) continue
    const pid = Number(row[1])
    if (row[2] === 'master') {
      Object.assign(found, { master: pid, failedReloads: Number(row[3] ?? 0) })
    } else if (row[2] === 'worker') {
      if (isOld || found.current !== null) found.leaving.push(pid)
      else found.current = pid
    }
  }
  // After a reload that failed the worker of before serves on, and is listed as old.
  found.current ??= found.leaving.shift() ?? null
  return found
}

export function parseInfo(text: string): Map<string, string> {
  const fields = text.split('\n').map((line) => /^([^:]+): (.*)$/.exec(line))
  return new Map(fields.flatMap((field) => (field ? [[field[1]!, field[2]!]] : [])))
}

/** @see management.txt, "show servers state", version 1; the columns are found by their names */
export function parseServers(text: string): ServerState[] {
  const lines = text.split('\n')
  const header = lines.find((line) => line.startsWith('# ')) ?? ''
  const rows = lines.filter((line) => /^\d+ \S/.test(line)).map((line) => line.split(' '))
  return readRows(header.slice(2).split(' '), rows).map((row) => {
    const admin = Number(row('srv_admin_state'))
    return {
      backend: row('be_name'),
      name: row('srv_name'),
      address: row('srv_addr'),
      port: Number(row('srv_port')),
      isUp: row('srv_op_state') === '2',
      // Bits: 1, 2, 4, 32 are kinds of maintenance; 8 and 16 of draining.
      admin: admin & 0x27 ? 'maint' : admin & 0x18 ? 'drain' : 'ready',
      secondsSinceChange: Number(row('srv_time_since_last_change')),
    }
  })
}

/** @see management.txt, section 9.1; the columns are found by their names */
export function parseStatistics(text: string): Statistics[] {
  const lines = text.split('\n').filter((line) => line !== '')
  const header = lines.find((line) => line.startsWith('# ')) ?? ''
  const rows = lines
    .filter((line) => !line.startsWith('#') && line.includes(','))
    .map((line) => line.split(','))
  return readRows(header.slice(2).split(','), rows).map((row) => {
    const number = (name: string) => Number(row(name) || 0)
    const mode = row('mode') === 'tcp' ? 'tcp' : 'http'
    return {
      backend: row('pxname'),
      server: row('svname') === 'BACKEND' ? null : row('svname'),
      mode,
      requests: number(mode === 'tcp' ? 'stot' : 'req_tot'),
      serverErrors: number('hrsp_5xx'),
      connectErrors: number('econ'),
      responseErrors: number('eresp'),
      serverAborts: number('srv_abrt'),
      busy: number('scur') + number('qcur'),
      longestMs: number('qtime_max') + number('ctime_max') + number('rtime_max'),
    }
  })
}

/** @see management.txt, "show sess": a line for each session, with the server that it was given, if any */
export function parseSessions(text: string): Session[] {
  const lines = text
    .split('\n')
    .map((line) => /^(0x[0-9a-f]+): .* src=(\S+) fe=(?!GLOBAL)\S+ be=(\S+) srv=(\S+) /.exec(line))
  return lines.flatMap((line) =>
    line ? [{ id: line[1]!, client: line[2]!, server: `${line[3]}/${line[4]}` }] : [],
  )
}

function readRows(names: string[], rows: string[][]): ((name: string) => string)[] {
  const index = new Map(names.map((name, at) => [name, at]))
  return rows.map((row) => (name) => row[index.get(name) ?? -1] ?? '')
}
