import { createServer } from '../../src/api/server.ts'
import { createClient } from '../../src/client/client.ts'
import type { Client } from '../../src/client/client-types.ts'
import type { Operations } from '../../src/operations/operations.ts'

export interface ServedOperations extends AsyncDisposable {
  url: string
  /** Holds a token that may write. */
  client: Client
  /** What the API has logged. */
  logged: { level: 'info' | 'error'; fields: Record<string, unknown>; message: string }[]
  close(): Promise<void>
}

export const tokens = { write: 'token-that-writes', read: 'token-that-reads' }

/** Serves the verbs of a script over real HTTP on a free port; a verb that the script lacks is a bug, as in life. */
export async function serveOperations(script: Partial<Operations>): Promise<ServedOperations> {
  const logged: ServedOperations['logged'] = []
  const server = await createServer({
    operations: { authenticate, ...script } as Operations,
    version: '1.2.3',
    log: {
      info: (fields, message) =>
        void logged.push({ level: 'info', fields: fields as Record<string, unknown>, message }),
      error: (fields, message) =>
        void logged.push({ level: 'error', fields: fields as Record<string, unknown>, message }),
    },
  })
  const url = await server.listen({ host: '127.0.0.1', port: 0 })
  const close = () => server.close()
  return {
    url,
    client: createClient({ url, token: tokens.write }),
    logged,
    close,
    [Symbol.asyncDispose]: close,
  }
}

const authenticate: Operations['authenticate'] = async (token) => {
  if (token === tokens.write) return { name: 'writer', permission: 'write' }
  return token === tokens.read ? { name: 'reader', permission: 'read' } : null
}

/** An app as the store would give it. */
export const exampleApp = {
  name: 'guestbook',
  status: 'running',
  release: 'RAAAAAAAAAA',
  locked: false,
  created: '2026-11-23T04:00:00.000Z',
} as const

/** The end of a promote. */
export const exampleResult = {
  app: 'guestbook',
  release: 'RAAAAAAAAAA',
  endpoints: [{ process: 'web', url: 'http://guestbook.localhost' }],
  receipt: {
    requests: 12,
    failed: 0,
    longestStallMs: null,
    started: ['redis'],
    replaced: ['web'],
    kept: [],
    trace: [],
  },
}

/** One line of a build's log. */
export function logLine(text: string) {
  return { type: 'log', text, time: '2026-11-23T04:00:00.000Z' } as const
}
