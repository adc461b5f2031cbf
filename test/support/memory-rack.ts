import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Control, Progress } from '../../src/domain/control.ts'
import type { Objects } from '../../src/domain/objects.ts'
import type { Store } from '../../src/domain/store.ts'
import { openObjects } from '../../src/objects/directory.ts'
import { createOperations, type OperationsRoom } from '../../src/operations/create-operations.ts'
import type { Operations } from '../../src/operations/operations.ts'
import { openStore } from '../../src/store/open-store.ts'
import { createMemoryPolicy } from './memory-policy.ts'
import { createMemoryEngine, type MemoryEngine } from './memory-engine.ts'
import { upload } from './upload.ts'

export interface MemoryRack extends AsyncDisposable {
  room: OperationsRoom
  operations: Operations
  engine: MemoryEngine
  store: Store
  objects: Objects
  control: Control
  progress: Progress[]
  /** Builds and promotes a compose text; gives the release. */
  deploy(app: string, compose: string, files?: Record<string, string>): Promise<string>
  build(app: string, compose: string, files?: Record<string, string>): Promise<string>
  /** A second daemon over the same store and engine, as after a SIGKILL of the first. */
  restart(): Promise<OperationsRoom>
}

/** A rack with a real store and an engine in memory. */
export async function startMemoryRack(): Promise<MemoryRack> {
  const directory = await mkdtemp(join(tmpdir(), 'rack-operations-'))
  const engine = createMemoryEngine({ settleMs: 5 })
  const store = await openStore({ directory, keyFile: join(directory, 'key'), rack: 'rack' })
  const objects = await openObjects(join(directory, 'objects'))
  const policy = createMemoryPolicy()
  const rack = {
    name: 'rack',
    version: '0.0.0',
    domain: 'localhost',
    httpPort: 8080,
    keepReleases: 3,
    maxSourceBytes: 1024 * 1024,
    daemon: () => ({ pid: process.pid }),
    router: async () => ({ pid: null }),
    engineVersion: async () => ({ name: 'memory', version: '1' }),
  }
  const open = () =>
    createOperations({ rack, store, engine, objects, policy, now: () => new Date(), log: () => undefined })
  const room = open()
  const progress: Progress[] = []
  const control: Control = { signal: AbortSignal.timeout(60_000), report: (said) => progress.push(said) }
  const build = async (app: string, compose: string, files?: Record<string, string>) => {
    const content = upload(compose, files)
    const made = await room.operations.buildApp(
      app,
      { content, description: null, noCache: false },
      'test',
      control,
    )
    return made.release
  }
  return {
    room,
    operations: room.operations,
    engine,
    store,
    objects,
    control,
    progress,
    build,
    async deploy(app, compose, files) {
      const release = await build(app, compose, files)
      await room.operations.promoteRelease(app, release, 'test', control)
      return release
    },
    restart: async () => open(),
    async [Symbol.asyncDispose]() {
      await room.interrupt()
      await store.close()
      await rm(directory, { recursive: true, force: true })
    },
  }
}
