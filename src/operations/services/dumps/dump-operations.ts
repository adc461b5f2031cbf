import type { Control } from '../../../domain/control.ts'
import type { ExitCode } from '../../../domain/process.ts'
import type { Terminal } from '../../../domain/terminal.ts'

/** A type's own dump, out and in. What is said to a person meanwhile goes to the terminal's standard error. */
export interface DumpOperations {
  /**
   * Writes it to the terminal, as the type's tools do.
   * @throws unsupported for a type that has none; usage where a database must be named; not-found; conflict; service-failed
   */
  exportService(
    service: string,
    request: Pick<ImportRequest, 'database'>,
    terminal: Terminal,
    control: Control,
  ): Promise<ExitCode>
  /** Reads it from the terminal. @throws conflict where something is there already; busy; and as `exportService` */
  importService(
    service: string,
    request: ImportRequest,
    terminal: Terminal,
    control: Control,
  ): Promise<ExitCode>
}

export interface ImportRequest {
  /** Null is the only one that there is. */
  database: string | null
  /** Although something is there. */
  force: boolean
}
