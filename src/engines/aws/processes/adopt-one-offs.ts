import { findTasks, type FoundTask } from '../look/found.ts'
import { readGenerationName } from '../names.ts'
import type { AwsParts } from '../parts.ts'
import { createDefinitions } from './definitions.ts'
import { endOfOneOff } from './end-of-one-off.ts'

/**
 * Waits for the ends of one-offs that a former daemon has started, and for none twice. One that a terminal was joined to
 * ends by itself: the tool misses its client. What has ended meanwhile is kept too: until then its definition stays.
 */
export async function adoptOneOffs(parts: AwsParts, control: { signal: AbortSignal }): Promise<void> {
  const [running, stopped] = await Promise.all([
    findTasks(parts, {}, control),
    findTasks(parts, { isStopped: true }, control),
  ])
  const found = [...running, ...stopped].filter(isOneOff).filter(({ arn }) => !parts.adopted.has(arn))
  const arns = found.flatMap(({ task }) => task.taskDefinitionArn ?? [])
  const definitions = await createDefinitions(parts).of(arns, control)
  for (const each of found) {
    const definition = definitions.get(each.task.taskDefinitionArn ?? '')
    if (definition?.status !== 'ACTIVE') continue
    void endOfOneOff(parts, {
      arn: each.arn,
      generation: readGenerationName(definition.family ?? ''),
      operation: each.tags.operation ?? '',
      command: definition.containerDefinitions?.find(({ name }) => name === 'main')?.command ?? null,
      timeoutMs: timeLeft(each),
      given: null,
    })
  }
}

/** Release commands belong to a deploy. */
function isOneOff({ kind, service }: FoundTask): boolean {
  return service === null && (kind === 'one-off' || kind === 'timer')
}

function timeLeft({ tags: { timeout, created } }: FoundTask): number | null {
  if (timeout === undefined) return null
  return Math.max(0, Number(timeout) - (Date.now() - Date.parse(created ?? '')))
}
