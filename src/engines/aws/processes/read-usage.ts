import type { Control } from '../../../domain/control.ts'
import type { Process, ProcessFilter, Usage } from '../../../domain/process.ts'
import { mapBounded } from '../../../lib/semaphore.ts'
import { pause } from '../../../lib/poll.ts'
import { mainContainer } from '../definition/task-definition.ts'
import { converse } from '../exec/tool-session.ts'
import { findTasks, type FoundTask } from '../look/found.ts'
import type { AwsParts } from '../parts.ts'

const mostAtOnce = 8
const longestMs = 15_000
/** Between two readings whose difference is the share of a core. */
const sampleMs = 1000

/** What the copies take that run, each by one session; nothing of one that does not say it in time. */
export async function readUsage(
  parts: AwsParts,
  { owner }: Pick<ProcessFilter, 'owner'>,
  control: Control,
): Promise<Usage[]> {
  const found = await findTasks(parts, owner ? { owner } : {}, control)
  return await readAll(parts, found, control)
}

/** The same processes with what they take of their limits. */
export async function sampleUsage(
  parts: AwsParts,
  processes: Process[],
  tasks: FoundTask[],
  control: Control,
): Promise<Process[]> {
  const before = await readAll(parts, tasks, control)
  await pause(sampleMs, control.signal)
  const after = await readAll(parts, tasks, control)
  const of = (usages: Usage[], id: string) => usages.find((usage) => usage.process === id)
  return processes.map((running) => {
    const [first, second] = [of(before, running.id), of(after, running.id)]
    return first && second ? { ...running, ...shares(first, second) } : running
  })
}

function shares(first: Usage, second: Usage): Pick<Process, 'cpuPercent' | 'memoryPercent'> {
  const seconds = (Date.parse(second.time) - Date.parse(first.time)) / 1000
  const { memoryBytes, memoryLimitBytes } = second
  return {
    cpuPercent: seconds > 0 ? round(((second.cpuSeconds - first.cpuSeconds) / seconds) * 100) : 0,
    memoryPercent: memoryLimitBytes ? round((memoryBytes / memoryLimitBytes) * 100) : 0,
  }
}

const round = (value: number) => Math.round(value * 10) / 10

async function readAll(parts: AwsParts, tasks: FoundTask[], control: Control): Promise<Usage[]> {
  const signal = AbortSignal.any([control.signal, AbortSignal.timeout(longestMs)])
  const read = async (task: FoundTask): Promise<Usage[]> => {
    try {
      return [await readOne(parts, task, signal)]
    } catch (error) {
      if (control.signal.aborted) throw error
      return []
    }
  }
  const running = tasks.filter(
    ({ task }) => task.lastStatus === 'RUNNING' && task.desiredStatus === 'RUNNING',
  )
  return (await mapBounded(running, mostAtOnce, read, control.signal)).flat()
}

async function readOne(
  parts: AwsParts,
  { arn, process: id, tags }: FoundTask,
  signal: AbortSignal,
): Promise<Usage> {
  let text = ''
  const place = { taskArn: arn, container: mainContainer, process: id }
  const output = async (_stream: string, chunk: Uint8Array) => void (text += Buffer.from(chunk).toString())
  await converse(parts, place, { verb: 'stats', order: {}, input: null, output }, { signal })
  const { cpuSeconds, memoryBytes } = JSON.parse(text) as { cpuSeconds: number; memoryBytes: number }
  const limit = Number(tags.memory ?? 0)
  return {
    process: id,
    time: new Date().toISOString(),
    cpuSeconds,
    memoryBytes,
    // The task's own is larger: what the rack runs beside the process needs room too.
    memoryLimitBytes: limit > 0 ? limit : null,
  }
}
