import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { appOwner } from '../../src/domain/owner.ts'
import type { OneOff } from '../../src/domain/engine.ts'
import type { Process } from '../../src/domain/process.ts'
import { until } from '../../src/lib/poll.ts'
import { openAwsRack } from '../support/aws-rack.ts'
import { exit, pause, shellCommand, sleep, type Step } from '../support/behaviour.ts'
import { controlFor } from '../support/docker-rack.ts'
import { processPlan } from '../support/plans.ts'

let opened: Awaited<ReturnType<typeof openAwsRack>>

before(async () => {
  opened = await openAwsRack()
})
after(async () => await opened.close())

test(
  'the end of a one-off is kept by the daemon after the one that has started it',
  { timeout: 120_000 },
  async () => {
    const image = await opened.image('busybox:1')
    const oneOff = (operation: string, steps: Step[], timeoutMs: number | null): OneOff => ({
      owner: appOwner('shop'),
      release: 'RAAAAAAAAAA',
      process: processPlan({ image, imageDigest: image }),
      command: shellCommand(steps),
      kind: 'one-off',
      operation,
      timeoutMs,
    })
    const first = opened.reopen()
    const started = await Promise.all([
      first.run(oneOff('OAAAAAAAAAA', [pause(2000), exit(7)], null), null, controlFor(60_000)),
      first.run(oneOff('OBBBBBBBBBB', [sleep], 3000), null, controlFor(60_000)),
    ])
    for (const { exit: left } of started) left.catch(() => undefined)
    await first.close()

    const kept = new Map<string, Process>()
    const onEnded = async (ended: Process, operation: string) => void kept.set(operation, ended)
    const second = opened.reopen({ onEnded })
    await second.start(controlFor(20_000))
    await until(() => kept.size === 2, { deadlineMs: 60_000, what: 'two ends' })
    assert.equal(kept.get('OAAAAAAAAAA')?.exitCode, 7)
    assert.equal(kept.get('OAAAAAAAAAA')?.id, started[0].process.id)
    assert.notEqual(kept.get('OBBBBBBBBBB')?.exitCode, 0)
    await second.close()
  },
)
