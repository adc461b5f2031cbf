import type { Control } from '../domain/control.ts'

/** For what a command does to this machine; without a signal an interrupt ends the program. */
export function machineControl(signal: AbortSignal = new AbortController().signal): Control {
  return { signal, report: () => undefined }
}
