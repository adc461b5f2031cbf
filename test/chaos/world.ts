import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { startDaemonRack, type DaemonRack } from '../support/daemon-rack.ts'
import { overlapTypes } from '../support/overlap-types.ts'
import { startPrivateDockerd, type PrivateDockerd } from '../support/private-dockerd.ts'
import { mountSmallDisk, type SmallDisk } from '../support/small-tmpfs.ts'
import { webFiles } from '../support/source.ts'
import { createOrders, ordersVariable, type Orders } from './orders.ts'

export const app = 'shop'
export const host = 'shop.localhost'

/** An engine, a router and a daemon of this run's own, with an app of two releases, and one that fails. */
export interface World extends AsyncDisposable {
  dockerd: PrivateDockerd
  rack: DaemonRack
  /** Where all of the rack lies. */
  disk: SmallDisk
  orders: Orders
  /** Releases by the word that they answer with. */
  releases: { one: string; two: string; failing: string }
  /** Ends when the run is interrupted. */
  signal: AbortSignal
}

const files = (word: string, server?: string) =>
  webFiles(word, { more: overlapTypes, ...(server !== undefined && { server }) })

export async function openWorld(signal: AbortSignal): Promise<World> {
  await using stack = new AsyncDisposableStack()
  const disk = stack.use(await mountSmallDisk({ mebibytes: 96 }))
  const ordersDirectory = await mkdtemp(join(tmpdir(), 'rack-orders-'))
  stack.defer(() => rm(ordersDirectory, { recursive: true, force: true }))
  const dockerd = stack.use(await startPrivateDockerd())
  signal.throwIfAborted()
  await dockerd.load('node:24-slim')
  signal.throwIfAborted()
  const rack = await startDaemonRack({
    socketPath: dockerd.socketPath,
    parent: disk.path,
    preload: {
      modules: [fileURLToPath(new URL('./die-at-verb.ts', import.meta.url))],
      environment: { [ordersVariable]: ordersDirectory },
    },
  })
  stack.use(rack)
  await rack.client.createApp({ body: { name: app } })
  const releases = {
    one: await rack.deploy(app, files('one')),
    // Live one after the other, so that there is something to roll back to.
    two: await rack.deploy(app, files('two')),
    failing: await rack.build(app, files('failing', "console.error('no such database'); process.exit(3)\n")),
  }
  const owned = stack.move()
  const orders = createOrders(ordersDirectory)
  return { dockerd, rack, disk, orders, releases, signal, [Symbol.asyncDispose]: () => owned.disposeAsync() }
}
