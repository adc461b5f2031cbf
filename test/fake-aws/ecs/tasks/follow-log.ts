import { readFrames } from '../../../../src/engines/docker/logs/frames.ts'
import { createLineSplitter } from '../../../../src/lib/lines.ts'
import type { ContainerRecord, EcsState, TaskRecord } from '../state.ts'

/** Longer lines are several events (D: of awslogs). */
const longestLineBytes = 256 * 1024

/** Carries what a container writes into its log stream, until it has ended; no more is read than has been taken. */
export async function followLog(
  state: EcsState,
  task: TaskRecord,
  container: ContainerRecord,
): Promise<void> {
  const { definition, dockerId } = container
  const options = definition.logConfiguration!.options!
  // D: prefix, container and task name the stream.
  const stream = `${options['awslogs-stream-prefix']}/${definition.name}/${task.id}`
  const splitters = {
    stdout: createLineSplitter(longestLineBytes),
    stderr: createLineSplitter(longestLineBytes),
  }
  const append = (lines: string[]) => {
    const timeMs = state.account.clock.now()
    // CloudWatch refuses events that are empty (D), and awslogs leaves them out (S).
    const events = lines.filter((text) => text !== '').map((text) => ({ timeMs, text }))
    if (events.length > 0) state.logs.append(options['awslogs-group']!, stream, events)
  }
  const query = { follow: true, stdout: true, stderr: true }
  const log = await state.docker.stream({ path: `/containers/${dockerId}/logs`, query }, state.ending)
  if (definition.pseudoTerminal) for await (const chunk of log) append(splitters.stdout.push(chunk as Buffer))
  else for await (const { stream, bytes } of readFrames(log)) append(splitters[stream].push(bytes))
  append(splitters.stdout.end())
  append(splitters.stderr.end())
}
