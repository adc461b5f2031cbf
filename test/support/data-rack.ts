import type { Engine } from '../../src/domain/engine.ts'
import { RackError, type ErrorCode } from '../../src/domain/error.ts'
import type { Owner } from '../../src/domain/owner.ts'
import { imageAddress } from '../../src/domain/service-plan.ts'
import type { OperationsParts } from '../../src/operations/create-operations.ts'
import { startMemoryRack, tester } from './memory-rack.ts'
import { serviceRun } from './service-run.ts'

const owner: Owner = { kind: 'service', name: 'main' }
const run = serviceRun({ image: 'redis:7', scheme: 'redis', port: 6379 })

/** What a command inside a service does; gives what it prints, or fails it. */
export type Inside = (command: string, input: string, signal: AbortSignal) => Promise<string | null>

export const fails = (code: ErrorCode) => (error: unknown) =>
  error instanceof RackError && error.code === code

/** A rack with a redis `main` whose commands do what a test says, and an app `shop`. */
export async function startDataRack() {
  const rack = await startMemoryRack()
  const { control, store, engine } = rack
  let inside: Inside = async () => 'all keys'
  const exec: Engine['exec'] = async (_copy, command, terminal, { signal }) => {
    const chunks = terminal.input ? await Array.fromAsync(terminal.input) : []
    const said = await inside(command.join(' '), Buffer.concat(chunks).toString(), signal)
    await terminal.output(said === null ? 'stderr' : 'stdout', Buffer.from(said ?? 'it went wrong'))
    return said === null ? 1 : 0
  }
  const given = Object.assign(Object.create(engine) as Engine, { exec })
  await store.services.create(
    { name: 'main', type: 'redis', status: 'running', run },
    imageAddress('main', run),
  )
  const open = async (parts: Partial<OperationsParts> = {}) => {
    const room = await rack.restart({ engine: given, ...parts })
    await room.recover(control)
    return room
  }
  let room = await open()
  await room.operations.as(tester).createApp('shop')
  await rack.build('shop', 'services:\n  web: { image: shop, command: sleep }\n')
  return {
    rack,
    store,
    engine: given,
    control,
    operations: () => room.operations.as(tester),
    room: () => room,
    /** A daemon after one that has died, without a word. */
    restart: async (parts?: Partial<OperationsParts>) => void (room = await open(parts)),
    inside: (does: Inside) => void (inside = does),
    /** Volumes, processes, and how it is written down. */
    async state() {
      const volumes = (await engine.volumes({ owner }, control)).map(({ name }) => name)
      const found = await engine.processes({ owner }, control)
      const generation = (await store.services.run('main'))?.generation ?? 1
      return { volumes, kinds: found.map(({ kind }) => kind), generation }
    },
    [Symbol.asyncDispose]: () => rack[Symbol.asyncDispose](),
  }
}

/** As `state` gives it, of one that runs as it did. */
export const asBefore = { volumes: ['data'], kinds: ['process'], generation: 1 }
