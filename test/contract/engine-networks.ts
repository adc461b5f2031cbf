import assert from 'node:assert/strict'
import type { ProcessPlan } from '../../src/domain/plan.ts'
import { ask, exit, serveText } from '../support/behaviour.ts'
import { collectTerminal } from '../support/collect-terminal.ts'
import type { Scenario, World } from './engine.ts'

/** Who is on which network; what is named nowhere is an app of one network. */
const rooms: Record<string, string[]> = { web: ['front'], api: ['back', 'front'], db: ['back'] }
const types = Object.keys(rooms)

/** Whom processes of a type reach. */
export function networkScenarios(scenario: Scenario): void {
  scenario(
    'processes that share a network reach each other by name, and those that share none do not',
    async (world) => {
      await world.deploy(types.map((type) => inRooms(world, type, true)))
      const heard: Record<string, string> = {}
      for (const [caller, callee] of [
        ['web', 'api'],
        ['web', 'db'],
        ['api', 'db'],
        ['db', 'web'],
      ] as const)
        heard[`${caller} → ${callee}`] = await hears(world, caller, callee, true)
      assert.deepEqual(heard, {
        'web → api': 'api',
        'web → db': 'nobody',
        'api → db': 'db',
        'db → web': 'nobody',
      })
    },
    ['separateNetworks'],
  )

  scenario(
    'a release that parts an app replaces its copies, and one that joins it again too',
    async (world) => {
      await world.deploy(types.map((type) => inRooms(world, type, false)))
      const joined = await world.ids()
      assert.equal(await hears(world, 'web', 'db', false), 'db')
      const release = 'RBBBBBBBBBB'
      const { replaced } = await world.deploy(
        types.map((type) => inRooms(world, type, true)),
        { release },
      )
      assert.deepEqual(replaced.toSorted(), types.toSorted())
      assert.equal(
        (await world.ids()).some((id) => joined.includes(id)),
        false,
      )
      assert.equal(await hears(world, 'web', 'db', true), 'nobody')
      await world.deploy(
        types.map((type) => inRooms(world, type, false)),
        { release: 'RCCCCCCCCCC' },
      )
      assert.equal(await hears(world, 'web', 'db', false), 'db')
    },
    ['separateNetworks'],
  )
}

function membership(type: string, isSeparate: boolean): Pick<ProcessPlan, 'peers' | 'isolation'> {
  const own = rooms[type] ?? []
  const peers = types.filter((other) => !isSeparate || rooms[other]?.some((name) => own.includes(name)))
  return {
    peers: peers.map((other) => ({ type: other, names: [other] })),
    ...(isSeparate && {
      isolation: { networks: own.map((name) => ({ name, aliases: [] })), isEnclosed: false },
    }),
  }
}

function inRooms(world: World, type: string, isSeparate: boolean): ProcessPlan {
  return world.type(type, [serveText(8080, type)], {
    internalPorts: [8080],
    health: { ...world.type(type, []).health, port: 8080 },
    drainTimeoutMs: 0,
    ...membership(type, isSeparate),
  })
}

/** What a one-off of a type hears of another. */
async function hears(world: World, caller: string, callee: string, isSeparate: boolean): Promise<string> {
  const terminal = collectTerminal()
  const plan = world.type(caller, [], membership(caller, isSeparate))
  const { exit: ended } = await world.run([ask(callee, 8080), exit(0)], terminal.terminal, { process: plan })
  assert.equal(await ended, 0)
  return terminal.stdout().trim()
}
