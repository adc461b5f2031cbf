import type { Control } from '../../../domain/control.ts'
import type { ExitCode } from '../../../domain/process.ts'
import type { Terminal } from '../../../domain/terminal.ts'
import type { Context } from '../../context.ts'
import type { DumpOperations } from './dump-operations.ts'
import { findDump, runDump } from './find-dump.ts'

/** The dump of a service by its type's own tools, as they write it. @see DumpOperations */
export async function exportService(
  context: Context,
  name: string,
  { database }: Parameters<DumpOperations['exportService']>[1],
  terminal: Terminal,
  control: Control,
): Promise<ExitCode> {
  const found = await findDump(context, name, { verb: 'export', database }, control)
  const { native, what } = found
  await say(terminal, `exporting ${what}, as ${native.format}`)
  const output = (chunk: Uint8Array) => terminal.output('stdout', chunk)
  await runDump(context, found, { inside: native.dump(found.database), streams: { output } }, control)
  return 0
}

/** To a person, beside the data. */
export async function say(terminal: Terminal, text: string): Promise<void> {
  await terminal.output('stderr', new TextEncoder().encode(`${text}\n`))
}
