import type { NoticedPort } from './noticed-port.ts'
import type { Plan } from './plan.ts'
import type { NamelessPort } from './port.ts'

/** A port that is to be asked. */
export interface PortToAsk extends NamelessPort {
  process: string
}

/** Those of a plan that has become live of which this build's answer is not known; a type without copies cannot be asked. */
export function portsToAsk({ build, processes }: Plan, known: NoticedPort[]): PortToAsk[] {
  return processes.flatMap(({ type: process, count, nameless }) => {
    if (!nameless || count === 0) return []
    const before = known.find((one) => one.process === process)
    const isKnown = before?.port === nameless.container && before.build === build
    return isKnown ? [] : [{ process, ...nameless }]
  })
}

/**
 * What is known once a plan is live: of its types whatever was known or has been answered, and whether the plan serves it.
 * @param answers by type; null where nothing was found out, which is asked again
 */
export function noticedAfter(
  { build, processes }: Plan,
  known: NoticedPort[],
  answers: ReadonlyMap<string, boolean | null>,
): NoticedPort[] {
  return processes.flatMap(({ type: process, nameless, ports }) => {
    if (!nameless) return []
    const { container: port } = nameless
    const isServed = ports.some(({ isNoticed }) => isNoticed === true)
    const answer = answers.get(process) ?? null
    if (answer !== null) return [{ process, port, build, speaksHttp: answer, isServed }]
    const before = known.find((one) => one.process === process && one.port === port)
    return before ? [{ ...before, isServed }] : []
  })
}
