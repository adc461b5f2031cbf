import assert from 'node:assert/strict'
import { readdir } from 'node:fs/promises'
import { findCopies } from '../../src/engines/docker/containers/found-copy.ts'
import { listNetworks } from '../../src/engines/docker/containers/network.ts'
import { until } from '../../src/lib/poll.ts'
import { controlFor } from '../support/docker-rack.ts'
import { ask } from '../support/load.ts'
import { app, host, type World } from './world.ts'

/** What the app is when everything about it agrees. */
export interface Whole {
  release: string
  /** The build of the live release. */
  build: string | null
  releases: string[]
  counts: Record<string, number>
  /** Process ids. */
  copies: string[]
  /** Process ids of the web servers. */
  webs: string[]
}

/**
 * Everything about the app agrees: journal, releases, copies and plan, names, addresses, routes; there is nothing else
 * on the engine, and no half-written file.
 */
async function assertWhole({ rack, dockerd }: World): Promise<Whole> {
  const { client, installation } = rack
  const info = await client.getApp({ params: { app } })
  assert.deepEqual([info.operation, info.status], [null, 'running'])
  assert.deepEqual(rack.rows(`select id, kind from operations where status = 'running'`), [])
  const releases = await client.listReleases({ params: { app }, query: { limit: 1000 } })
  const live = releases.filter((release) => release.live)
  assert.deepEqual(
    live.map(({ id }) => id),
    [info.release],
    'one release is live',
  )
  const found = await findCopies(dockerd.docker, installation.name, {}, controlFor(10_000))
  const counts = Object.fromEntries(Object.entries(info.formation).map(([type, { count }]) => [type, count]))
  const planned = Object.entries(counts).flatMap(([type, count]) =>
    Array.from({ length: count }, () => `${type} running always proved ${info.release}`),
  )
  const seen = found.map((copy) =>
    [copy.type, copy.state, copy.restartPolicy, copy.mark, copy.release].join(' '),
  )
  assert.deepEqual(seen.sort(), planned.sort(), 'copies and plan')
  assert.ok(
    found.every(({ type, aliases }) => aliases.includes(type)),
    'names',
  )
  const webs = found.filter(({ type }) => type === 'web')
  const addresses = webs.map(({ address }) => address ?? '').sort()
  assert.deepEqual(await rack.routedAddresses(app), addresses, 'routes')
  await assertNothingElse({ rack, dockerd }, found)
  return {
    release: live[0]!.id,
    build: live[0]!.build,
    releases: releases.map(({ id }) => id),
    counts,
    copies: found.map((copy) => copy.process).sort(),
    webs: webs.map((copy) => copy.process).sort(),
  }
}

async function assertNothingElse(
  { rack, dockerd }: Pick<World, 'rack' | 'dockerd'>,
  found: { container: string; process: string; address: string | null }[],
): Promise<void> {
  const control = controlFor(10_000)
  const byHolder = (a: { holder: string }, b: { holder: string }) => (a.holder < b.holder ? -1 : 1)
  // Those of names are the types' for as long as the app lives, and tested by themselves.
  const copies = "select holder, address from addresses where network <> ':names'"
  const held = rack.rows(copies).map((row) => ({ ...row }))
  const due = found.map(({ process: holder, address }) => ({ holder, address })).sort(byHolder)
  assert.deepEqual((held as typeof due).sort(byHolder), due, 'addresses')
  const query = { all: true }
  const containers = await dockerd.docker.json<{ Id: string }[]>({ path: '/containers/json', query }, control)
  const ids = (list: string[]) => list.toSorted()
  assert.deepEqual(
    ids(containers.map(({ Id }) => Id)),
    ids(found.map(({ container }) => container)),
    'containers',
  )
  assert.equal((await listNetworks(dockerd.docker, rack.installation.name, control)).length, 1, 'networks')
  const volumes = await dockerd.docker.json<{ Volumes: { Name: string }[] | null }>(
    { path: '/volumes' },
    control,
  )
  assert.equal(volumes.Volumes?.length, 1, 'volumes')
  const names = await readdir(rack.installation.directory, { recursive: true })
  const temporary = names.filter((name) => name.endsWith('.tmp') || name.includes('incoming/'))
  assert.deepEqual(temporary, [], 'half-written files')
}

/** Settles when the app is whole and answers with the live release; at the deadline with what was wrong last. */
export async function becomesWhole(world: World, deadlineMs: number): Promise<Whole> {
  let last: unknown = null
  const look = async () => {
    try {
      const whole = await assertWhole(world)
      const { status } = await ask({ port: world.rack.installation.http.port, host })
      assert.equal(status, 200)
      return whole
    } catch (error) {
      last = error
      return null
    }
  }
  const options = { deadlineMs, intervalMs: 200, what: 'the app to be whole', signal: world.signal }
  try {
    return await until(look, options)
  } catch (error) {
    world.signal.throwIfAborted()
    throw last ?? error
  }
}
