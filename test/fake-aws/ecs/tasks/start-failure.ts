import type { ContainerRecord } from '../state.ts'

/** Why a task never came to run: `stoppedReason`, and `reason` of the container where one is at fault (D). */
export class StartFailure extends Error {
  readonly container: ContainerRecord | null
  constructor(reason: string, container: ContainerRecord | null = null, cause?: unknown) {
    super(reason, { cause })
    this.name = 'StartFailure'
    this.container = container
  }
}

/** As a stopped task tells of it: the kind first, unless the words have it already. */
export function startFailure(kind: string, error: unknown, container: ContainerRecord | null): StartFailure {
  const { message } = error as Error
  return new StartFailure(message.startsWith(kind) ? message : `${kind}: ${message}`, container, error)
}
