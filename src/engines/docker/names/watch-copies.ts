import { createLineSplitter } from '../../../lib/lines.ts'
import { pause } from '../../../lib/poll.ts'
import { probeServer } from '../../../lib/probe-server.ts'
import { inspectCopy, type FoundCopy } from '../containers/found-copy.ts'
import { labels, ownedBy } from '../labels.ts'
import type { EngineParts } from '../parts.ts'

type Signalled = { signal: AbortSignal }

interface ContainerEvent {
  Action: string
  Actor: { ID: string; Attributes: Record<string, string> }
}

const probeIntervalMs = 200
const probeTimeoutMs = 2000
/** How long one without a port must run before it counts as healthy again. */
const settleMs = 2000

/**
 * Tells the names of copies that die, come back and fall ill, as it happens. Settles when Docker's events are listened
 * to; goes on behind it until Docker goes away, or the signal ends.
 */
export async function watchCopies(parts: EngineParts, control: Signalled): Promise<void> {
  const { docker, rack, onTrouble } = parts
  const filters = { ...ownedBy(rack, { kind: 'process' }), event: ['die', 'start', 'health_status'] }
  const stream = await docker.stream({ path: '/events', query: { filters } }, control)
  const follow = async () => {
    const splitter = createLineSplitter()
    for await (const chunk of stream as AsyncIterable<Uint8Array>) {
      for (const line of splitter.push(chunk)) noteEvent(parts, JSON.parse(line) as ContainerEvent, control)
    }
  }
  follow().catch((error: unknown) => {
    if (!control.signal.aborted) onTrouble(error)
  })
}

function noteEvent(parts: EngineParts, { Action, Actor }: ContainerEvent, control: Signalled): void {
  const processId = Actor.Attributes[labels.process] ?? ''
  if (Action === 'die') return parts.names.note(processId, 'down', 'engine')
  if (Action === 'health_status: unhealthy') return parts.names.note(processId, 'unwell', 'engine')
  if (Action === 'health_status: healthy') return parts.names.note(processId, 'up', 'engine')
  if (Action !== 'start') return
  noteReturn(parts, Actor.ID, control).catch((error: unknown) => {
    if (!control.signal.aborted) parts.onTrouble(error)
  })
}

/** One that Docker has started again is met at once where there is no other, and else when it answers. */
async function noteReturn(parts: EngineParts, container: string, control: Signalled): Promise<void> {
  const begun = await inspectCopy(parts.docker, container, control)
  if (begun?.mark !== 'proved' || begun.address === null) return
  parts.names.note(begun.process, 'unwell', 'engine')
  const isSameStart = async () => {
    const now = await inspectCopy(parts.docker, container, control)
    return now?.startedAt === begun.startedAt && now.state === 'running'
  }
  // It may die again meanwhile, and this start is none any more.
  do await pause(begun.port === null ? settleMs : probeIntervalMs, control.signal)
  while ((await isSameStart()) && !(await answers(begun, control)))
  if (await isSameStart()) parts.names.note(begun.process, 'up', 'engine')
}

/** Of one without a port nothing else can be known than that it runs. */
async function answers({ address, port }: FoundCopy, { signal }: Signalled): Promise<boolean> {
  if (port === null || address === null) return true
  const target = {
    address,
    port,
    path: null,
    host: address,
    proxy: false as const,
    secure: false,
    timeoutMs: probeTimeoutMs,
  }
  return (await probeServer(target, signal)).isGood
}
