import type { Control } from '../../../domain/control.ts'

/** Says what somebody has changed by hand, and what becomes of it, to whoever waits for a change. */
export function tellDrift({ report }: Pick<Control, 'report'>, text: string): void {
  report({ type: 'log', text, time: new Date().toISOString() })
}
