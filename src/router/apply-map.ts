import type { Control } from '../domain/control.ts'
import { mapCommands } from './map-changes.ts'
import type { RuntimeApi } from './runtime-api.ts'

/** Brings a map of a running worker to these entries, and touches no other. */
export async function applyMap(
  { runtime, worker }: { runtime: RuntimeApi; worker: number },
  path: string,
  wanted: ReadonlyMap<string, string>,
  control: Control,
): Promise<void> {
  const known = await runtime.map(worker, path, control)
  for (const command of mapCommands(path, wanted, known)) await runtime.change(worker, command, null, control)
}
