import type { Service, ServiceRun } from '../../domain/service.ts'
import { planService } from '../../domain/service-plan.ts'
import type { Terminal } from '../../domain/terminal.ts'
import type { Context } from '../context.ts'
import { serviceOwner } from './bring-up.ts'

/** A process beside a service, on the service's own network alone. */
export interface Beside {
  copy: string
  /** Its exit code, once it has ended. */
  exit: Promise<number>
  /** Ends it at once. */
  life: AbortController
}

interface How {
  /** How it is called. */
  type: string
  command: string[]
  /** None for one that serves nothing. */
  internalPorts?: number[]
  /** Ends it at once, too. */
  signal?: AbortSignal
}

/**
 * Runs a service's image beside it, as a one-off that no name leads to and no keeper brings back. It is joined to a terminal,
 * by which the engine knows that it is nothing without who started it.
 */
export async function runBeside(
  context: Context,
  service: Service,
  run: ServiceRun,
  { type, command, internalPorts = [run.port], signal }: How,
): Promise<Beside> {
  const [main] = planService({ rack: context.rack.name, service, run }).processes
  const plan = { ...main!, type, aliases: [], peers: [], internalPorts, restart: 'no' as const }
  const life = new AbortController()
  const about = { owner: serviceOwner(service.name), release: service.version, process: plan }
  const oneOff = { kind: 'one-off' as const, operation: '', timeoutMs: null, command }
  const { process: begun, exit } = await context.engine.run({ ...about, ...oneOff }, nobody, {
    signal: signal ? AbortSignal.any([life.signal, signal]) : life.signal,
    report: () => undefined,
  })
  return { copy: begun.id, exit, life }
}

const nobody: Terminal = {
  tty: false,
  rows: 24,
  columns: 80,
  input: null,
  output: async () => undefined,
  onResize: () => undefined,
}
