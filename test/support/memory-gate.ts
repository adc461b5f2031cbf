import type { CopyFailure } from '../../src/domain/deployment.ts'
import { DeadlineError } from '../../src/lib/deadline.ts'
import { until } from '../../src/lib/poll.ts'
import type { MemoryCopy } from './memory-copy.ts'
import type { MemoryLog } from './memory-log.ts'
import { killed } from './memory-script.ts'

export interface GateOptions {
  log: MemoryLog
  /** How long a copy without ports must run. */
  settleMs: number
  signal: AbortSignal
}

/** Waits until a new copy may serve; what it returns is why it never will. */
export async function passGate(copy: MemoryCopy, options: GateOptions): Promise<CopyFailure | null> {
  const { health, ports, internalPorts } = copy.plan
  const isProbed = ports.length > 0 || internalPorts.length > 0 || health.path !== null
  const patienceMs = health.graceMs + health.intervalMs * health.unhealthyThreshold
  const began = performance.now()
  const verdict = () => {
    if (copy.process.exitCode !== null) return isCompleted(copy) ? 'healthy' : 'exited'
    if (isProbed) return probe(copy) === null ? 'healthy' : null
    return performance.now() - began >= options.settleMs ? 'healthy' : null
  }
  try {
    const outcome = await until(verdict, {
      deadlineMs: isProbed ? patienceMs : options.settleMs + 1000,
      intervalMs: 1,
      what: 'a copy to serve',
      signal: options.signal,
    })
    return outcome === 'healthy' ? null : failure(copy, exitReason(copy), options)
  } catch (error) {
    if (!(error instanceof DeadlineError)) throw error
    return failure(copy, 'not-healthy', options)
  }
}

/** What the last probe saw; null when it was content. */
function probe({ plan, listening }: MemoryCopy): string | null {
  const port = plan.health.port ?? plan.ports[0]?.container ?? plan.internalPorts[0] ?? 0
  const status = listening.get(port) ?? listening.get(null)
  if (status === undefined) return `connection refused on ${port}`
  const { path } = plan.health
  return path === null || (status >= 200 && status < 400) ? null : `GET ${path} answered ${status}`
}

const isCompleted = ({ plan, process }: MemoryCopy) => plan.restart === 'no' && process.exitCode === 0

const exitReason = ({ process }: MemoryCopy) => (process.exitCode === killed ? 'out-of-memory' : 'exited')

export function failure(
  copy: MemoryCopy,
  reason: CopyFailure['reason'],
  { log }: Pick<GateOptions, 'log'>,
): CopyFailure {
  const { id, type, exitCode } = copy.process
  const lastLines = log.last(id, 20)
  const seen = reason === 'not-healthy' ? probe(copy) : null
  return { process: id, type, reason, exitCode, lastLines, probe: seen }
}
