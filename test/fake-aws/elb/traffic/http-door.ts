import { randomBytes } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { createServer as createSecureServer } from 'node:https'
import type { Server, Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { answerText, redirectTo } from './balancer-answers.ts'
import { forward, upgrade, type Way } from './forward.ts'
import { keyOf, type Member } from './group-targets.ts'
import { ruleFor, type Asked } from './match.ts'
import { byWeight, type Nodes } from './nodes.ts'
import { shown } from './shown.ts'
import type { ElbState, Group, Listener, Step } from '../state.ts'

/** A listener of an application balancer: each request is led by the rules. */
export function httpDoor(
  state: ElbState,
  listener: Listener,
  nodes: Nodes,
): { server: Server; cut: () => void } {
  const idleMs = (listener.balancer.idleTimeoutSeconds * 1000) / state.account.clock.factor
  // A request may take as long as bytes come; the target's silence is what ends it.
  const settings = { keepAliveTimeout: idleMs, requestTimeout: 0, headersTimeout: 60_000 }
  const server =
    listener.protocol === 'HTTPS'
      ? createSecureServer({ ...settings, ...shown(state, listener) })
      : createServer(settings)
  const sockets = new Set<Duplex>()
  const step = (request: IncomingMessage) => ruleFor(nodes.view, askedOf(request))
  server.on('request', (request, response) => {
    const found = step(request)
    if (found?.is !== 'forward') return answerHere(found, request, response, listener)
    const way = wayTo(state, found, request, { listener, idleMs })
    if (way) forward(way, request, response)
    else answerText(response, 503)
  })
  server.on('upgrade', (request, socket, head) => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket)).on('error', () => undefined)
    const found = step(request)
    const way = found?.is === 'forward' ? wayTo(state, found, request, { listener, idleMs }) : null
    if (way) upgrade(way, request, { socket: socket as Socket, head })
    else
      socket.end(
        'HTTP/1.1 503 Service Temporarily Unavailable\r\nServer: awselb/2.0\r\nConnection: close\r\n\r\n',
      )
  })
  return {
    server,
    cut() {
      server.closeAllConnections()
      for (const socket of sockets) socket.destroy()
    },
  }
}

function askedOf(request: IncomingMessage): Asked {
  const { host = '' } = request.headers
  return { host, url: request.url ?? '/', address: request.socket.remoteAddress ?? '' }
}

function answerHere(
  step: Step | null,
  request: IncomingMessage,
  response: ServerResponse,
  { port, protocol }: Listener,
): void {
  request.resume()
  if (step?.is === 'redirect') return redirectTo(response, step.config, { request, port, protocol })
  if (step?.is !== 'fixed') return answerText(response, 503)
  const { StatusCode, ContentType = 'text/plain', MessageBody = '' } = step.config
  response.writeHead(Number(StatusCode), {
    server: 'awselb/2.0',
    'content-type': `${ContentType}; charset=utf-8`,
    'content-length': Buffer.byteLength(MessageBody),
  })
  response.end(MessageBody)
}

/** Null where the group has nobody to lead to: the balancer then answers 503, and takes no other group (D). */
function wayTo(
  state: ElbState,
  { groups }: Extract<Step, { is: 'forward' }>,
  request: IncomingMessage,
  { listener, idleMs }: { listener: Listener; idleMs: number },
): Way | null {
  const arn = byWeight(groups)
  const group = arn === null ? undefined : state.groups.get(arn)
  const sticky = group ? stickinessOf(group, request) : null
  const member = group?.targets.choose(sticky?.isWanted)
  if (!group || !member) return none(state, listener)
  // What no target could be chosen for does not count as a request (D).
  state.metrics.count('RequestCount', { balancer: listener.balancer.arn, group: group.arn })
  return {
    member,
    isTls: group.protocol === 'HTTPS',
    idleMs,
    // Its processes take connections in real time.
    connectMs: 10_000,
    headers: forwardedHeaders(request, listener),
    onFailed(kind) {
      const balancer = listener.balancer.arn
      if (kind === 'connection')
        state.metrics.count('TargetConnectionErrorCount', { balancer, group: group.arn })
      else state.metrics.count('HTTPCode_ELB_5XX_Count', { balancer })
    },
    cookies: sticky ? [`AWSALB=${sticky.name(member)}; Max-Age=${sticky.seconds}; Path=/`] : [],
  }
}

function none(state: ElbState, { balancer }: Listener): null {
  state.metrics.count('HTTPCode_ELB_5XX_Count', { balancer: balancer.arn })
  return null
}

/** The balancer's cookie (D); what it holds is opaque. */
function stickinessOf(group: Group, request: IncomingMessage) {
  if (group.attributes.get('stickiness.enabled') !== 'true') return null
  const given = /(?:^|;\s*)AWSALB=([^;]+)/.exec(request.headers.cookie ?? '')?.[1]
  const name = ({ target }: Member) => Buffer.from(`${group.name} ${keyOf(target)}`).toString('base64url')
  return {
    name,
    isWanted: (member: Member) => given === name(member),
    seconds: group.attributes.get('stickiness.lb_cookie.duration_seconds') ?? '86400',
  }
}

/** The client's address is put behind those that it says itself; protocol and port are the listener's (D). */
function forwardedHeaders(request: IncomingMessage, { port, protocol }: Listener): [string, string][] {
  const address = (request.socket.remoteAddress ?? '').replace('::ffff:', '')
  const before = request.headers['x-forwarded-for']
  const trace = request.headers['x-amzn-trace-id']
  const root = `Root=1-${Math.floor(Date.now() / 1000).toString(16)}-${randomBytes(12).toString('hex')}`
  return [
    ['X-Forwarded-For', before ? `${before.toString()}, ${address}` : address],
    ['X-Forwarded-Proto', protocol.toLowerCase()],
    ['X-Forwarded-Port', String(port)],
    ['X-Amzn-Trace-Id', trace ? trace.toString() : root],
  ]
}
