import { after, before, test } from 'node:test'
import type { Plan } from '../../src/domain/plan.ts'
import { openKillWorld, type KillWorld } from '../support/aws-kills.ts'

let world: KillWorld

before(async () => {
  world = await openKillWorld()
})
after(async () => await world.rack.close())

/** All of them, and other changes, are killed in `npm run test:aws-long`. */
const everyCall = 5
const lanes = ['even', 'odd']

test('a daemon that dies at some calls of a change leaves what the next one finishes or undoes', async (t) => {
  let isOver = false
  const walk = async (app: string, lane: number) => {
    let live: Plan | null = null
    for (let number = lane; !isOver; number += lanes.length) {
      const when = number % 3 === 0 ? 'after' : 'before'
      const goal = number % 4 < 2 ? 'same' : 'previous'
      const round = { kind: 'change', at: 1 + number * everyCall, when, goal } as const
      const played = await world.playRound(app, live, round)
      live = played.live
      const where = played.died === null ? 'no call any more' : `${when} ${played.died}`
      t.diagnostic(`change ${round.at}, ${where}, ${goal} plan: ${played.requests} requests, none refused`)
      if (played.died === null) isOver = true
    }
  }
  await Promise.all(lanes.map(walk))
  t.diagnostic(`after a sweep there is left: ${JSON.stringify(await world.sweepAll())}`)
})
