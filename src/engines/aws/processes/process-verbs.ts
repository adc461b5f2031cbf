import type { Control } from '../../../domain/control.ts'
import type { Engine } from '../../../domain/engine.ts'
import { RackError } from '../../../domain/error.ts'
import { copyFiles } from '../exec/copy-files.ts'
import { execInTask } from '../exec/exec.ts'
import { readLogs } from '../logs/read-logs.ts'
import { endOfTask } from '../look/task-end.ts'
import type { AwsParts } from '../parts.ts'
import { connectInside } from './connect-inside.ts'
import { createDefinitions } from './definitions.ts'
import { findProcess, placeOf } from './find-process.ts'
import { listProcesses } from './list-processes.ts'
import { runOneOff } from './one-off.ts'
import { readUsage } from './read-usage.ts'
import { stopTask } from './start-one-off.ts'
import { createProcessWatch } from './watch-processes.ts'

type ProcessVerbs = Pick<
  Engine,
  'processes' | 'usage' | 'watch' | 'run' | 'exec' | 'copy' | 'logs' | 'connect' | 'stop'
>

/** What is done with processes one by one. */
export function processVerbs(
  parts: AwsParts,
  guarded: <T>(control: Control, task: () => Promise<T>) => Promise<T>,
): ProcessVerbs {
  const definitions = createDefinitions(parts)
  return {
    processes: (filter, control) =>
      guarded(control, () => listProcesses(parts, definitions, filter, control)),
    usage: (filter, control) => guarded(control, () => readUsage(parts, filter, control)),
    watch: createProcessWatch(parts),
    run: (oneOff, terminal, control) => guarded(control, () => runOneOff(parts, oneOff, terminal, control)),
    exec: (id, command, terminal, control) =>
      guarded(control, async () => {
        const place = await placeOf(parts, id, control)
        return await execInTask(parts, place, { command, terminal }, control)
      }),
    copy: (id, path, archive, control) =>
      guarded(control, async () => {
        await copyFiles(parts, await placeOf(parts, id, control), { path, archive }, control)
      }),
    logs: (query, control) => readLogs(parts, query, control),
    connect: (address, control) => guarded(control, () => connectInside(parts, address, control)),
    stop: (id, control) => guarded(control, () => stopOneOff(parts, id, control)),
  }
}

async function stopOneOff(parts: AwsParts, id: string, { signal }: Control): Promise<void> {
  const { arn, kind, service, type } = await findProcess(parts, id, { signal })
  if (service !== null || kind === 'process') {
    throw new RackError('conflict', `${id} is a copy of ${type}, which leaves by a deploy`)
  }
  await stopTask(parts, arn, 'it was stopped', signal)
  await parts.tasks.until(arn, (task) => !task || endOfTask(task), signal)
}
