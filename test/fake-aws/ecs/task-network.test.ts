import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isNotFound } from '../../../src/engines/docker/errors.ts'
import { connectToDocker, createTaskNetwork } from './task-network.ts'

test('what a dead program left behind goes when the next account begins', async () => {
  const docker = connectToDocker()
  const control = { signal: new AbortController().signal }
  const owned = await createTaskNetwork({ run: `fa-living-${process.pid}` })
  const labels = { 'fake-aws': 'fa-dead', 'fake-aws.owner': `${process.pid}:1` }
  const body = { Image: 'busybox:1', Cmd: ['sleep', '60'], Labels: labels }
  const create = { method: 'POST', path: '/containers/create', body } as const
  const { Id } = await docker.json<{ Id: string }>(create, control)
  await docker.json({ method: 'POST', path: `/containers/${Id}/start` }, control)
  const next = await createTaskNetwork({ run: `fa-next-${process.pid}` })
  try {
    await assert.rejects(docker.json({ path: `/containers/${Id}/json` }, control), isNotFound)
    await docker.json({ path: `/networks/${owned.name}` }, control)
  } finally {
    await next.remove()
    await owned.remove()
  }
})
