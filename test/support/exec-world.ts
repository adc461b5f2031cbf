import { execFile } from 'node:child_process'
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { promisify } from 'node:util'
import * as sdk from '@aws-sdk/client-ecs'
import { createClients } from '../../src/aws/clients.ts'
import type { AwsPlaces } from '../../src/domain/aws-places.ts'
import { connectDocker } from '../../src/engines/docker/client.ts'
import { createFakeAccount } from '../fake-aws/account.ts'
import { clientConfig } from '../fake-aws/client-config.ts'
import { labelOptions } from '../fake-aws/ecs/task-network.ts'
import { startServer } from '../fake-aws/server.ts'
import { createSessions } from '../fake-aws/ssm/create-sessions.ts'
import { toolImage } from '../fake-aws/tool/tool-image.ts'
import { controlFor, dockerSocket } from './docker-rack.ts'

const run = promisify(execFile)

/** @returns what it printed */
export const docker = async (...args: string[]) => (await run('docker', args)).stdout.trim()

export type ExecWorld = Awaited<ReturnType<typeof openExecWorld>>

/** One container of a task with the tool in it, and the sessions of a fake account that lead there. */
export async function openExecWorld() {
  const name = `fake-aws-exec-${randomBytes(4).toString('hex')}`
  const account = await createFakeAccount()
  const client = connectDocker({ socketPath: dockerSocket })
  const image = await toolImage(client, controlFor(100_000))
  const volumes = ['-v', `${name}:/.rack`, '-v', `${name}-run:/run/rack`]
  await docker('run', '--rm', ...volumes, '-e', 'RACK_INIT={}', image)
  const user = ['--user=1000:1000', '-e', 'COLOR=green grass', '-w', '/tmp']
  const command = ['busybox:1', 'sh', '-c', 'trap "exit 0" TERM; while :; do sleep 1; done']
  const labels = await labelOptions(name)
  await docker('run', '-d', '--name', name, ...labels, '-v', `${name}:/.rack`, ...user, ...command)
  const sessions = await createSessions(account, { docker: client, containers: { find: () => name } })
  const service = {
    scope: 'ecs',
    sdk: sdk as Record<string, unknown>,
    actions: {
      ...sessions.actions,
      DescribeTasks: async () => ({ tasks: [{ desiredStatus: 'RUNNING' }], failures: [] }),
    },
  }
  const server = await startServer({ ...account, services: [service] })
  const { endpoint, region, credentials } = clientConfig(server)
  const parts = {
    clients: createClients({ endpoint, region, credentials }),
    places: { cluster: 'r1' } as AwsPlaces,
  }
  return {
    /** Of the container. */
    name,
    parts,
    place: { taskArn: 'arn:task/one', container: 'main', process: 'PAAAAAAAAAA' },
    async close() {
      parts.clients.close()
      await sessions.close()
      await server.close()
      account.clock.close()
      await docker('rm', '-f', '-v', name)
      await docker('volume', 'rm', name, `${name}-run`)
      assert.deepEqual(account.troubles, [])
    },
  }
}
