import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { openExecWorld, type ExecWorld } from '../support/exec-world.ts'
import { buildSessionPlugin, startSessionPlugin } from '../support/session-plugin.ts'

/**
 * The engine and the fake share their reading of the data channel; AWS's own client shares nothing with either. What it
 * understands of the fake, lost and repeated messages included, the engine was tested against.
 */
describe("AWS's own session plugin at the fake's end of a data channel", { timeout: 400_000 }, () => {
  let world: ExecWorld
  let plugin: Awaited<ReturnType<typeof buildSessionPlugin>>
  before(async () => {
    plugin = await buildSessionPlugin(AbortSignal.timeout(300_000))
    world = await openExecWorld()
  })
  after(async () => await world.close())

  test('types, reads, has its size and its end', async (t) => {
    if ('why' in plugin) return t.skip(plugin.why)
    const { session } = await world.parts.clients.ecs.executeCommand({
      cluster: 'r1',
      task: world.place.taskArn,
      container: world.place.container,
      interactive: true,
      command: 'sh',
    })
    const client = startSessionPlugin(plugin.path, session!)
    try {
      await client.untilSaid(/# /)
      client.type('echo size $(stty size)\n')
      await client.untilSaid(/size 40 100/)
      client.type('i=0; while [ $i -lt 5000 ]; do echo line $i; i=$((i+1)); done; echo all $i\n')
      await client.untilSaid(/all 5000/)
      const said = [...client.output().matchAll(/^line (\d+)\r*$/gm)].map(([, number]) => Number(number))
      assert.deepEqual(
        said,
        Array.from({ length: 5000 }, (_each, index) => index),
        'each once, in order',
      )
      client.type('exit\n')
      await client.ended
      assert.match(client.output(), /Exiting session with sessionId/)
    } finally {
      client.kill()
    }
  })
})
