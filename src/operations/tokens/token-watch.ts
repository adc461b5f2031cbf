import type { RackError } from '../../domain/error.ts'
import type { KeptToken } from '../../domain/stores/rack-stores.ts'
import { atTime } from '../../lib/at-time.ts'
import { expired } from './token-errors.ts'

type Listener = (reason: RackError) => void

/** Who wants to hear when a token is good no longer. */
export interface TokenWatch {
  /** Until disposed; the end that the token has from the beginning is told too. */
  listen(token: KeptToken, hear: Listener): Disposable
  tell(token: KeptToken, reason: RackError): void
}

export function createTokenWatch(now: () => Date): TokenWatch {
  const listeners = new Map<string, Set<Listener>>()
  return {
    listen(token, hear) {
      const { sha256, expires } = token
      const all = listeners.get(sha256) ?? new Set()
      listeners.set(sha256, all.add(hear))
      const leaving = new DisposableStack()
      leaving.defer(() => {
        all.delete(hear)
        if (all.size === 0 && listeners.get(sha256) === all) listeners.delete(sha256)
      })
      if (expires !== null) leaving.use(atTime(Date.parse(expires), () => hear(expired(token)), now))
      return leaving
    },
    tell({ sha256 }, reason) {
      for (const hear of listeners.get(sha256) ?? []) hear(reason)
    },
  }
}
