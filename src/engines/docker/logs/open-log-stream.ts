import { connect, type Socket } from 'node:net'
import { abortable, startDeadline } from '../../../lib/deadline.ts'
import type { DockerClient } from '../client.ts'
import { errorOfAnswer, errorOfConnection } from '../errors.ts'

export interface LogRequest {
  container: string
  follow: boolean
  /** Seconds with nine digits. */
  since?: string | undefined
  tail?: number | undefined
}

type Signalled = { signal: AbortSignal }

const headDeadlineMs = 30_000
const longestHeadBytes = 64 * 1024
const headEnd = Buffer.from('\r\n\r\n')

/**
 * The bytes of a container's log as Docker writes them, to be read as fast as they are wanted. Asked in HTTP/1.0,
 * whose answer is not in chunks: Docker makes two of each line, and to take them apart costs more than all the rest.
 * @throws not-found, engine-unavailable, engine-failed
 */
export async function openLogStream(
  docker: DockerClient,
  request: LogRequest,
  control: Signalled,
): Promise<AsyncIterable<Uint8Array>> {
  const path = `/v${await docker.version(control)}/containers/${request.container}/logs?${queryOf(request)}`
  using deadline = startDeadline({ deadlineMs: headDeadlineMs, what: 'a log', signal: control.signal })
  const socket = connect(docker.socketPath)
  const end = () => socket.destroy(control.signal.reason as Error)
  control.signal.addEventListener('abort', end, { once: true })
  socket.once('close', () => control.signal.removeEventListener('abort', end))
  // Without a listener an error of the connection would end the program; who reads sees it in its own loop.
  socket.on('error', () => undefined)
  socket.write(`GET ${path} HTTP/1.0\r\nHost: docker\r\n\r\n`)
  try {
    return await abortable(readAnswer(socket, path), deadline.signal)
  } catch (error) {
    socket.destroy()
    throw deadline.signal.aborted ? errorOfConnection(error, deadline.signal, `GET ${path}`) : error
  }
}

/** Reads the head; what came with it is the beginning of the log. */
async function readAnswer(socket: Socket, path: string): Promise<AsyncIterable<Uint8Array>> {
  const what = `GET ${path}`
  const chunks = bytesOf(socket, what)
  let held: Buffer = Buffer.alloc(0)
  while (!held.includes(headEnd) && held.length < longestHeadBytes) {
    const { done, value } = await chunks.next()
    if (done) break
    held = Buffer.concat([held, value])
  }
  const at = held.indexOf(headEnd)
  const [, status] = /^HTTP\/1\.[01] (\d{3})/.exec(held.toString('latin1', 0, 20)) ?? []
  if (at === -1 || status === undefined) throw errorOfAnswer(what, 500, 'its answer broke off')
  const rest = held.subarray(at + headEnd.length)
  if (status === '200') return continued(rest, chunks)
  const body = Buffer.concat([rest, ...(await Array.fromAsync(chunks))])
  throw errorOfAnswer(what, Number(status), body.toString('utf8'))
}

async function* bytesOf(socket: Socket, what: string): AsyncGenerator<Buffer> {
  try {
    for await (const chunk of socket) yield chunk as Buffer
  } catch (error) {
    throw errorOfConnection(error, new AbortController().signal, what)
  }
}

async function* continued(first: Buffer, rest: AsyncGenerator<Buffer>): AsyncGenerator<Buffer> {
  if (first.length > 0) yield first
  yield* rest
}

function queryOf({ follow, since, tail }: LogRequest): string {
  const query = new URLSearchParams({
    stdout: 'true',
    stderr: 'true',
    timestamps: 'true',
    follow: String(follow),
  })
  if (since !== undefined) query.set('since', since)
  if (tail !== undefined) query.set('tail', String(tail))
  return query.toString()
}
