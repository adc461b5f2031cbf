import type { Duplex } from '../../src/domain/engine.ts'
import { RackError } from '../../src/domain/error.ts'
import { networksOf, shareNetwork } from '../../src/domain/isolation.ts'
import type { Owner } from '../../src/domain/owner.ts'
import type { ProcessPlan } from '../../src/domain/plan.ts'
import type { MemoryCopy } from './memory-copy.ts'
import type { Listener } from './memory-script.ts'

/** What a port that sends everything back listens with, where others have an HTTP status. */
export const mirrorStatus = 0

/** A stream to a port of the first copy that has the name. */
export function connectTo(
  copies: MemoryCopy[],
  { owner, host, port }: { owner: Owner; host: string; port: number },
): Duplex {
  const isKnown = copies.some(({ plan, process: running }) =>
    [plan.type, running.id, ...plan.aliases].includes(host),
  )
  if (!isKnown)
    throw new RackError('not-found', `${host} is no process of ${owner.name}: nothing else can be reached`)
  const target = copies.find(({ names, process: running }) => [running.id, ...names].includes(host))
  const listener = target?.listening.get(port) ?? target?.listening.get(null)
  if (!listener) throw new RackError('unreachable', `nothing listens at ${host}:${port} of ${owner.name}`)
  return listener.status === mirrorStatus ? mirror() : answerOnce(listener)
}

/** What listens where a process of one of its owner's types gets to: by a name that it knows, on a network that both are on. */
export function reachedBy(
  { peers, isolation, services = [] }: Pick<ProcessPlan, 'peers' | 'isolation' | 'services'>,
  { copies, copiesOf }: { copies: MemoryCopy[]; copiesOf: (service: string) => MemoryCopy[] },
  host: string,
  port: number,
): Listener | null {
  const led = services.find(({ names }) => names.includes(host))
  if (led) return listenerOf(copiesOf(led.service)[0], port)
  const known = peers.find(({ names }) => names.includes(host))
  const target = copies.find(
    ({ plan, names }) =>
      plan.type === known?.type &&
      names.length > 0 &&
      shareNetwork(networksOf(isolation), networksOf(plan.isolation)),
  )
  return listenerOf(target, port)
}

function listenerOf(copy: MemoryCopy | undefined, port: number): Listener | null {
  return copy?.listening.get(port) ?? copy?.listening.get(null) ?? null
}

/** Takes a piece when the one before was read. */
function mirror(): Duplex {
  const held: Uint8Array[] = []
  let state: 'open' | 'ended' | 'closed' = 'open'
  let changed = Promise.withResolvers<void>()
  const change = () => {
    changed.resolve()
    changed = Promise.withResolvers<void>()
  }
  const end = (how: 'ended' | 'closed') => {
    state = how
    change()
  }
  const mustWait = () => held.length > 0 && state === 'open'
  async function* output() {
    for (;;) {
      const chunk = held.shift()
      change()
      if (chunk && state !== 'closed') yield chunk
      else if (state === 'open') await changed.promise
      else return
    }
  }
  return {
    async input(chunk) {
      while (mustWait()) await changed.promise
      if (state !== 'open') throw new RackError('unreachable', 'the process broke the connection')
      held.push(chunk)
      change()
    },
    end: () => end('ended'),
    output: output(),
    close: () => end('closed'),
  }
}

function answerOnce({ status, text }: Listener): Duplex {
  const asked = Promise.withResolvers<void>()
  async function* output() {
    await asked.promise
    yield Buffer.from(`HTTP/1.0 ${status} ${status === 200 ? 'OK' : 'Not Found'}\r\n\r\n${text}\n`)
  }
  return {
    input: async () => asked.resolve(),
    end: () => asked.resolve(),
    output: output(),
    close: () => asked.resolve(),
  }
}
