import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { CloudWatchLogs } from '@aws-sdk/client-cloudwatch-logs'
import { createFakeAccount } from '../../test/fake-aws/account.ts'
import { clientConfig } from '../../test/fake-aws/client-config.ts'
import { startServer } from '../../test/fake-aws/server.ts'
import { createLogs } from '../../test/fake-aws/small/logs.ts'
import { until } from '../lib/poll.ts'
import { lastDaemonLines } from './daemon-log.ts'

const account = await createFakeAccount({ factor: 500 })
const fake = createLogs(account)
const server = await startServer({ ...account, services: [fake.service] })
const logs = new CloudWatchLogs({ ...clientConfig(server), disableHostPrefix: true })
after(async () => {
  logs.destroy()
  await server.close()
  account.clock.close()
  assert.deepEqual(account.troubles, [])
})

const last = async (rack: string, count: number) =>
  await lastDaemonLines({ clients: { logs } }, rack, { count, signal: AbortSignal.timeout(10_000) })

test('the last lines of a daemon are told, of all tasks that it had; of a rack without a log none', async () => {
  assert.deepEqual(await last('r1', 3), [])
  fake.groups.create('/rack/r1/_daemon')
  assert.deepEqual(await last('r1', 3), [])
  for (const [at, stream] of ['rack/daemon/1', 'rack/daemon/2'].entries()) {
    const lines = ['it starts', `it ends ${at}\n`].map((text, line) => ({
      timeMs: Date.now() + at * 10 + line,
      text,
    }))
    fake.lines.append('/rack/r1/_daemon', stream, lines)
  }
  const told = async () => (await last('r1', 3)).length === 3
  await until(told, { deadlineMs: 10_000, what: 'lines that come late' })
  assert.deepEqual(await last('r1', 3), ['it ends 0', 'it starts', 'it ends 1'])
})
