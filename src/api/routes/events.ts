import type { Handlers } from '../handlers.ts'

export const eventHandlers: Pick<Handlers, 'watchEvents'> = {
  watchEvents: ({ operations, query, control }) => operations.watchEvents(query.after ?? null, control),
}
