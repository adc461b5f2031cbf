import assert from 'node:assert/strict'
import { test } from 'node:test'
import { RackError } from '../../../domain/error.ts'
import { labels } from '../labels.ts'
import { readUsage } from './read-usage.ts'

const control = { signal: new AbortController().signal, report: () => undefined }

const container = (name: string) => {
  const Labels = {
    [labels.rack]: 'rack',
    [labels.app]: 'shop',
    [labels.type]: 'web',
    [labels.process]: `P${name}`,
    [labels.kind]: 'process',
    [labels.cpuUnits]: '128',
    [labels.memoryBytes]: '1000',
  }
  return { Id: name, Name: `/${name}`, Labels, State: 'running', Config: { Labels } }
}

const inspected = (name: string) => ({
  ...container(name),
  State: { Status: 'running' },
  HostConfig: { RestartPolicy: { Name: '' } },
  NetworkSettings: {},
})

const stats = {
  read: '2026-01-01T00:00:00Z',
  cpu_stats: { cpu_usage: { total_usage: 5e8 } },
  precpu_stats: { cpu_usage: { total_usage: 0 } },
  memory_stats: { usage: 300, stats: { inactive_file: 100 } },
}

/** Docker with a healthy copy, and one whose numbers it does not give. */
function dockerWith(failure: RackError) {
  const json = async ({ path }: { path: string }): Promise<unknown> => {
    if (path === '/containers/json') return [container('well'), container('ill')]
    if (path === '/containers/ill/stats') throw failure
    return path.endsWith('/stats') ? stats : inspected(path.split('/')[2]!)
  }
  return { docker: { json } as never, rack: 'rack' }
}

test('a copy that does not say what it takes keeps nobody from the others', async () => {
  for (const code of ['engine-unavailable', 'engine-failed', 'not-found'] as const) {
    const parts = dockerWith(new RackError(code, 'no numbers'))
    const read = { process: 'Pwell', time: '2026-01-01T00:00:00.000Z', cpuSeconds: 0.5 }
    assert.deepEqual(await readUsage(parts, {}, control), [
      { ...read, memoryBytes: 200, memoryLimitBytes: 1000 },
    ])
  }
})
