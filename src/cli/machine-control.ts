import type { Control } from '../domain/control.ts'

/** For what a command does to this machine: an interrupt ends the program, and the undo is its own. */
export function machineControl(): Control {
  return { signal: new AbortController().signal, report: () => undefined }
}
