import { DeadlineError } from '../../../lib/deadline.ts'
import { readProcess, readTextIfThere } from '../../../lib/files.ts'
import { until } from '../../../lib/poll.ts'

const lookIntervalMs = 500
/** States of a socket, as Linux numbers them. */
const [established, listening] = ['01', '0A']

/**
 * Waits until nobody inside the app is connected to a process any more; the router's own connections are its to end.
 * Settles at the deadline in any case, and at once where Linux does not tell.
 * @param pid of the process on this machine
 */
export async function waitForCallers(pid: number, deadlineMs: number, signal: AbortSignal): Promise<void> {
  if (deadlineMs <= 0 || pid <= 0) return
  const areGone = async () => (await countCallers(pid)) === 0
  const what = `callers of ${pid} to leave`
  try {
    await until(areGone, { deadlineMs, intervalMs: lookIntervalMs, what, signal })
  } catch (error) {
    if (!(error instanceof DeadlineError)) throw error
  }
}

/**
 * Waits until the kernel follows no flow of datagrams to an address any more, which is half a minute and more after the
 * last of them. Settles at the deadline in any case; no sooner where Linux does not tell.
 */
export async function waitForFlows(address: string, deadlineMs: number, signal: AbortSignal): Promise<void> {
  if (deadlineMs <= 0) return
  const areGone = async () =>
    flowsTo((await readTextIfThere('/proc/net/nf_conntrack')) ?? null, address) === 0
  const what = `flows to ${address} to end`
  try {
    await until(areGone, { deadlineMs, intervalMs: lookIntervalMs, what, signal })
  } catch (error) {
    if (!(error instanceof DeadlineError)) throw error
  }
}

/** How many flows of udp are answered by an address; null is not known. @see nf_conntrack: the second `src` is who answers */
export function flowsTo(table: string | null, address: string): number | null {
  if (table === null) return null
  const answers = (line: string) => line.split(' src=')[2]?.startsWith(`${address} `) ?? false
  return table.split('\n').filter((line) => line.includes(' udp ') && answers(line)).length
}

async function countCallers(pid: number): Promise<number> {
  const files = ['net/route', 'net/tcp', 'net/tcp6']
  const [routes, ...tables] = await Promise.all(
    files.map(async (file) => (await readProcess(pid, file)) ?? ''),
  )
  return connectionsTo(tables.join('\n'), gatewayOf(routes ?? ''))
}

/** Whence the router comes, as Linux writes addresses; null where there is no way out. @see proc(5), /proc/net/route */
export function gatewayOf(routes: string): string | null {
  const fields = routes.split('\n').map((line) => line.trim().split(/\s+/))
  return fields.find(([, destination]) => destination === '00000000')?.[2] ?? null
}

/**
 * How many connections others, but for the gateway, have opened to what listens.
 * @see proc(5), /proc/net/tcp: local and remote address, then the state
 */
export function connectionsTo(table: string, gateway: string | null): number {
  const sockets = table.split('\n').flatMap((line) => {
    const [, local = '', remote = '', state = ''] = line.trim().split(/\s+/)
    return state === established || state === listening ? [{ port: portOf(local), local, remote, state }] : []
  })
  const open = new Set(sockets.filter(({ state }) => state === listening).map(({ port }) => port))
  const isOther = ({ local, remote }: { local: string; remote: string }) =>
    hostOf(local) !== hostOf(remote) && !(gateway !== null && hostOf(remote).endsWith(gateway))
  return sockets.filter((socket) => socket.state === established && open.has(socket.port) && isOther(socket))
    .length
}

function portOf(address: string): string {
  return address.split(':')[1] ?? ''
}

function hostOf(address: string): string {
  return address.split(':')[0] ?? ''
}
