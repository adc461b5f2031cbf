import { readLines } from '../../../../src/lib/lines.ts'
import { pause } from '../../../../src/lib/poll.ts'
import { runBeside, type ContainerRecord, type EcsState } from '../state.ts'

interface DockerEvent {
  Action: string
  id: string
}

const waitMs = 200

/** Takes in what Docker says of containers' checks and of those killed for want of memory. */
export function hearHealth(state: EcsState): () => Promise<void> {
  let listening: Promise<void> | null = null
  return () => (listening ??= listen(state))
}

async function listen(state: EcsState): Promise<void> {
  const open = async () => {
    const filters = {
      type: ['container'],
      label: [`fake-aws=${state.account.run}`],
      event: ['health_status', 'oom'],
    }
    return await state.docker.stream({ path: '/events', query: { filters } }, state.ending)
  }
  let events = await open()
  runBeside(state, async () => {
    for (;;) {
      for await (const line of readLines(events)) take(state, JSON.parse(line) as DockerEvent)
      await pause(waitMs, state.ending.signal)
      events = await open()
    }
  })
}

function take(state: EcsState, { Action, id }: DockerEvent): void {
  const container = findContainer(state, id)
  if (!container) return
  if (Action === 'oom') container.isOutOfMemory = true
  else if (Action.endsWith('unhealthy')) container.health = 'UNHEALTHY'
  else if (Action.endsWith('healthy')) container.health = 'HEALTHY'
  state.bell.ring()
}

function findContainer(state: EcsState, dockerId: string): ContainerRecord | null {
  for (const { containers } of state.tasks.values()) {
    const found = containers.find((container) => container.dockerId === dockerId)
    if (found) return found
  }
  return null
}
