import { createApiFace } from '../../src/api/api-face.ts'
import { metricsFace } from '../../src/api/metrics-face.ts'
import { createEdge } from '../../src/edge/edge.ts'
import { createClient } from '../../src/client/client.ts'
import type { Client } from '../../src/client/client-types.ts'
import type { Caller, Login } from '../../src/domain/caller.ts'
import { createDoor, type Door } from '../../src/operations/door.ts'
import type { AppSummary, Operations } from '../../src/operations/operations.ts'

export interface ServedOperations extends AsyncDisposable {
  url: string
  /** Holds a token that may write. */
  client: Client
  /** What the API has logged. */
  logged: { level: 'info' | 'error'; fields: Record<string, unknown>; message: string }[]
  close(): Promise<void>
}

export const tokens = { write: 'token-that-writes', read: 'token-that-reads', scoped: 'token-for-guestbook' }

/** Some verbs; or how they are for a caller. */
export type Script = Partial<Operations> | ((caller: Caller) => Partial<Operations>)

/** Serves the verbs of a script over real HTTP on a free port; a verb that the script lacks is a bug, as in life. */
export async function serveOperations(script: Script): Promise<ServedOperations> {
  const door = createDoor({
    authenticate,
    verbsFor: (caller) => (typeof script === 'function' ? script(caller) : script) as Operations,
    audit: { tell: (_note, call) => call(), refused: async () => undefined },
  })
  return await serveDoor(door)
}

/** Serves whatever is behind a door in the same way. */
export async function serveDoor(door: Door): Promise<ServedOperations> {
  const logged: ServedOperations['logged'] = []
  const edge = await createEdge({
    door,
    faces: [createApiFace({ version: '1.2.3' }), metricsFace],
    log: {
      info: (fields, message) =>
        void logged.push({ level: 'info', fields: fields as Record<string, unknown>, message }),
      error: (fields, message) =>
        void logged.push({ level: 'error', fields: fields as Record<string, unknown>, message }),
    },
  })
  const url = await edge.listen({ host: '127.0.0.1', port: 0 })
  const close = () => edge.close()
  return {
    url,
    client: createClient({ url, token: tokens.write }),
    logged,
    close,
    [Symbol.asyncDispose]: close,
  }
}

/** Knows the tokens of tests. */
export const authenticate: Door['authenticate'] = async (token) => {
  if (token === tokens.write) return loginOf({ name: 'writer', role: 'admin', apps: null })
  if (token === tokens.scoped) return loginOf({ name: 'scoped', role: 'admin', apps: ['guestbook'] })
  return token === tokens.read ? loginOf({ name: 'reader', role: 'read', apps: null }) : null
}

/** A login that is never over. */
export function loginOf(caller: Caller): Login {
  return { caller, whenOver: () => ({ [Symbol.dispose]: () => undefined }) }
}

const nothing = { cpuUnits: 0, memoryBytes: 0 }

/** A rack without apps. */
export const exampleRack: Awaited<ReturnType<Operations['getRack']>> = {
  name: 'main',
  status: 'running',
  version: '1.2.3',
  domain: 'localhost',
  https: null,
  http: 'http://localhost',
  daemon: { pid: 1 },
  router: { pid: 2, load: null },
  engine: { name: 'docker', version: '20.10' },
  capacity: { total: nothing, reserved: nothing, free: nothing, holders: [], instances: [] },
  apps: 0,
  comingBack: [],
  degraded: [],
  unservedPorts: [],
  restoring: null,
}

/** An app as the store would give it. */
export const exampleApp: AppSummary & { status: 'running' } = {
  name: 'guestbook',
  status: 'running',
  release: 'RAAAAAAAAAA',
  locked: false,
  created: '2026-11-23T04:00:00.000Z',
  lacks: [],
  unservedPorts: [],
}

/** What is told of one app alone, besides. */
export const exampleDetails = { endpoints: [], formation: {}, operation: null, changed: null, healed: null }

/** The end of a promote. */
export const exampleResult = {
  app: 'guestbook',
  release: 'RAAAAAAAAAA',
  endpoints: [{ process: 'web', url: 'http://guestbook.localhost' }],
  receipt: {
    requests: 12,
    failed: 0,
    longestStallMs: null,
    held: null,
    draining: [],
    measurement: null,
    started: ['redis'],
    replaced: ['web'],
    kept: [],
    trace: [],
  },
  timers: [],
}

/** One line of a build's log. */
export function logLine(text: string) {
  return { type: 'log', text, time: '2026-11-23T04:00:00.000Z' } as const
}
