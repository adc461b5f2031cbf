import type { Logger } from 'pino'
import type { Control } from '../domain/control.ts'
import type { NameState } from '../domain/name-state.ts'
import type { Plan } from '../domain/plan.ts'
import type { AwsEngine } from '../engines/aws/aws-engine.ts'
import { repeatTelling } from './repeat.ts'

/** Has apps of an account reached by their names, and certificates shown for them. */
export interface NameBringer {
  /** One step on; safe to repeat. */
  bring(control: Control): Promise<void>
  /** What has become of each at the last step. */
  states(): readonly NameState[]
  /** Again and again, until the signal ends. */
  keep(periodMs: number, control: Control): Promise<void>
}

interface Bringing {
  engine: Pick<AwsEngine, 'bringNames'>
  livePlans: () => Promise<Plan[]>
  log: Pick<Logger, 'info' | 'warn' | 'error'>
}

export function createNameBringer({ engine, livePlans, log }: Bringing): NameBringer {
  const told = new Map<string, string>()
  let states: readonly NameState[] = []
  const bring = async (control: Control) => {
    const brought = await engine.bringNames(await livePlans(), control)
    states = brought.states
    const left = new Set(told.keys())
    for (const { name, state, record, reason } of states) {
      left.delete(name)
      const news = JSON.stringify([state, record, reason])
      if (told.get(name) === news) continue
      told.set(name, news)
      const facts = { name, state, record, reason }
      if (state === 'shown') log.info(facts, 'a certificate is shown')
      else log.warn(facts, 'a name has no certificate yet')
    }
    for (const name of left) told.delete(name)
    if (brought.failure !== null) throw brought.failure
  }
  return {
    bring,
    states: () => states,
    async keep(periodMs, control) {
      await repeatTelling({ periodMs, work: () => bring(control) }, control, (error) => {
        log.error({ err: error }, 'names of apps cannot be brought to the balancer')
      })
    },
  }
}
