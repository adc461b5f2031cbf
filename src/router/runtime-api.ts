import type { Control } from '../domain/control.ts'
import { RackError } from '../domain/error.ts'
import { holdWorker, sendCommand } from './control-socket.ts'
import { masterSocket, statsSocket } from './haproxy-config.ts'
import { parseBegun, parseList, parseLoaded, type Showing } from './tls/shown-changes.ts'

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
  /** Its share among those of its backend; 0 gets no new request. */
  weight: number
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
  /** Refused by the router, as beyond a share. */
  refused: number
  /** The longest seen since the maxima were cleared: waiting in the queue, connecting, until the first byte. */
  longestMs: number
  /** Until the first byte of an answer: the mean of the last 1024. */
  answerMs: number
  /** Requests and connections that have waited for a copy; where it was asked for. */
  held?: number
}

/** One connection, or one request on it, and the server (`backend/name`) that serves it. */
export interface Session {
  id: string
  server: string
}

/** Requests and tcp connections that have waited for a copy. */
export interface Held {
  count: number
  /** Since it was asked for the last time. */
  longestMs: number
}

/** HAProxy's own control channel, by way of its master: a command names the worker it is meant for. */
export interface RuntimeApi {
  workers(control: Control): Promise<Workers>
  /** Fields of `show info`, by their names. */
  info(worker: number, control: Control): Promise<Map<string, string>>
  servers(worker: number, control: Control): Promise<ServerState[]>
  statistics(worker: number, control: Control): Promise<Statistics[]>
  sessions(worker: number, control: Control): Promise<Session[]>
  /** What is open now, by the key of a table in which it is counted. */
  openCounts(worker: number, table: string, control: Control): Promise<Map<string, number>>
  /** Entries of a map. */
  map(worker: number, path: string, control: Control): Promise<Map<string, string>>
  /** What is shown by TLS, by the entries of a list. */
  certificates(worker: number, listPath: string, control: Control): Promise<Showing>
  /** What has waited for a copy since the worker started, by backend; none where HAProxy lets nothing wait. */
  held(worker: number, control: Control): Promise<Map<string, Held>>
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
export function createRuntimeApi(directory: string, isThere: () => Promise<boolean>): RuntimeApi {
  const socket = masterSocket(directory)
  const send = (command: string, control: Control) => sendCommand({ path: socket, isThere }, command, control)
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
    openCounts: async (worker, table, control) =>
      parseOpenCounts(await ask(worker, `show table ${table}`, control)),
    map: async (worker, path, control) => parseMap(await ask(worker, `show map ${path}`, control)),
    async certificates(worker, listPath, control) {
      const entries = parseList(await ask(worker, `show ssl crt-list -n ${listPath}`, control))
      const files = await ask(worker, 'show ssl cert', control)
      return { entries, loaded: parseLoaded(files), begun: parseBegun(files) }
    },
    held: async (worker, control) => parseHeld(await ask(worker, 'show held', control)),
    hold: (control) => holdWorker(statsSocket(directory), control),
    async change(worker, command, expected, control) {
      const reply = (await ask(worker, command, control)).trim()
      if (reply === '' || expected?.test(reply)) return
      // What follows its first line may be a secret.
      const what = command.split('\n')[0]
      throw new RackError('host-failed', `the router refused "${what}": ${reply.split('\n')[0]}`)
    },
  }
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
      weight: Number(row('srv_uweight')),
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
      refused: number('dreq'),
      longestMs: number('qtime_max') + number('ctime_max') + number('rtime_max'),
      answerMs: number('rtime'),
    }
  })
}

/** @see management.txt, "show sess": a line for each session, with the server that it was given, if any */
export function parseSessions(text: string): Session[] {
  const lines = text
    .split('\n')
    .map((line) => /^(0x[0-9a-f]+): .* fe=(?!GLOBAL)\S+ be=(\S+) srv=(\S+) /.exec(line))
  return lines.flatMap((line) => (line ? [{ id: line[1]!, server: `${line[2]}/${line[3]}` }] : []))
}

/** @see management.txt, "show table": a line for each key, with the counters that the table keeps */
export function parseOpenCounts(text: string): Map<string, number> {
  const rows = text.split('\n').map((line) => /^0x[0-9a-f]+: key=(\S+) .*\bconn_cur=(\d+)/.exec(line))
  return new Map(rows.flatMap((row) => (row ? [[row[1]!, Number(row[2])]] : [])))
}

/** @see management.txt, "show map": a line for each entry, with its address in memory, its key and its value */
export function parseMap(text: string): Map<string, string> {
  const rows = text.split('\n').map((line) => /^0x[0-9a-f]+ (\S+) (.*)$/.exec(line))
  return new Map(rows.flatMap((row) => (row ? [[row[1]!, row[2]!]] : [])))
}

/** What `holdProgram` prints; a HAProxy without it says that it does not know the command. */
export function parseHeld(text: string): Map<string, Held> {
  const rows = text.split('\n').map((line) => /^(\S+) (\d+) (\d+)$/.exec(line))
  return new Map(
    rows.flatMap((row) => (row ? [[row[1]!, { count: Number(row[2]), longestMs: Number(row[3]) }]] : [])),
  )
}

function readRows(names: string[], rows: string[][]): ((name: string) => string)[] {
  const index = new Map(names.map((name, at) => [name, at]))
  return rows.map((row) => (name) => row[index.get(name) ?? -1] ?? '')
}
