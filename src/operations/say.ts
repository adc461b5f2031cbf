import type { Control } from '../domain/control.ts'
import type { Context } from './context.ts'

/** Tells whoever asked what the rack is at, as a line for people. */
export function say({ now }: Pick<Context, 'now'>, { report }: Control, text: string): void {
  report({ type: 'log', text, time: now().toISOString() })
}
