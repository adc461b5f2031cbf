import { after, before, describe, test } from 'node:test'
import type { Plan } from '../../src/domain/plan.ts'
import { openKillWorld, type Kind, type KillWorld } from '../support/aws-kills.ts'

let world: KillWorld

before(async () => {
  world = await openKillWorld()
})

after(async () => {
  const left = await world.sweepAll()
  process.stdout.write(`# after a sweep there is left: ${JSON.stringify(left)}\n`)
  await world.rack.close()
})

const kinds: Kind[] = ['first', 'change', 'volume', 'undo']

describe('a daemon that dies at any call of a deploy', { concurrency: 2 }, () => {
  for (const kind of kinds) {
    test(`${kind}: the next one finishes it, or goes back`, async (t) => {
      let live: Plan | null = null
      for (let at = 1; ; at++) {
        let isOver = false
        for (const [when, goal] of [
          ['before', 'same'],
          ['after', 'previous'],
        ] as const) {
          const played = await world.playRound(`${kind}-app`, live, { kind, at, when, goal })
          live = played.live
          t.diagnostic(
            `${kind} ${at}, ${when} ${played.died}, ${goal} plan: ${played.requests} requests, none refused`,
          )
          if (played.died === null) isOver = true
        }
        if (isOver) return
      }
    })
  }
})
