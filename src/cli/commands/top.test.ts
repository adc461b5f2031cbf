import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { AppUsage } from '../../domain/app-usage.ts'
import { RackError } from '../../domain/error.ts'
import { typeCommand } from '../../../test/support/type-command.ts'

const usage = (count: number): AppUsage[] => [
  {
    app: 'shop',
    time: new Date(count * 1000).toISOString(),
    traffic: { requests: 10 * count, failed: 0 },
    processes: { web: { wanted: 1, ended: { restarts: 0, outOfMemory: 0 }, copies: [] } },
  },
]

interface Asking {
  isTerminal?: boolean
  /** Ctrl-C comes with the answer to that question. */
  interruptAt?: number
  /** What the rack answers instead. */
  fault?: (count: number) => RackError | null
}

async function watch(args: string[], { isTerminal = false, interruptAt = 99, fault }: Asking = {}) {
  const filters: unknown[] = []
  const interrupts: (() => void)[] = []
  const said = await typeCommand(['top', '--interval', '0.2', ...args], {
    isTerminal,
    onListen: (interrupt) => interrupts.push(interrupt),
    rack: {
      async readUsage(filter) {
        filters.push(filter)
        const error = fault?.(filters.length)
        if (error) throw error
        if (filters.length === interruptAt) for (const interrupt of interrupts) interrupt()
        return usage(filters.length)
      },
    },
  })
  return { ...said, filters }
}

test('one sample is a table, or a record, of the time of one interval', async () => {
  const { code, stdout, filters } = await watch(['--once', '--app', 'shop'])
  assert.equal(code, 0)
  assert.match(stdout, /^APP, PROCESS, COPY {2}STATUS[^]*\nshop +lacks copies +– +– +10\.0 +0\.0/)
  assert.deepEqual(filters, [{ app: 'shop' }, { app: 'shop' }])
  const { stdout: json } = await watch(['--once', '--json'])
  const record = JSON.parse(json) as { time: string; apps: { app: string; requestsPerSecond: number }[] }
  assert.deepEqual([record.apps[0]?.app, record.apps[0]?.requestsPerSecond], ['shop', 10])
  assert.ok(!Number.isNaN(Date.parse(record.time)))
})

test('without a terminal it is a table each time, with --json a record each time, until Ctrl-C', async () => {
  const { code, stdout } = await watch([], { interruptAt: 4 })
  assert.equal(code, 0)
  assert.equal(stdout.split('\n').filter((line) => line.startsWith('APP,')).length, 2)
  const { stdout: json } = await watch(['--json'], { interruptAt: 4 })
  assert.equal(json.trimEnd().split('\n').length, 2)
})

test('on a terminal it is drawn in place, and Ctrl-C gives the terminal back', async () => {
  const { code, stdout } = await watch([], { interruptAt: 4, isTerminal: true })
  assert.equal(code, 0)
  assert.ok(stdout.startsWith('\u001b[?1049h\u001b[?25l\u001b[H'), stdout)
  assert.ok(stdout.endsWith('\u001b[?25h\u001b[?1049l'), stdout)
  assert.equal(stdout.split('\u001b[H').length - 1, 3, 'at once, and with each sample')
})

test('a rack that goes away is told and waited for on a terminal, and ends it elsewhere', async () => {
  const away = new RackError('engine-unavailable', 'Docker Engine is away')
  const fault = (count: number) => (count === 2 ? away : null)
  const { code, stdout } = await watch([], { interruptAt: 4, isTerminal: true, fault })
  assert.equal(code, 0)
  assert.match(stdout, /Docker Engine is away; asked again every 200 ms/)
  const piped = await watch([], { fault })
  assert.equal(piped.code, 1)
  assert.match(piped.stderr, /Docker Engine is away/)
})

test('what is no interval or no order is a mistake of usage', async () => {
  for (const args of [
    ['--interval', '0'],
    ['--interval', 'often'],
    ['--sort', 'size'],
  ]) {
    const { code, stderr } = await watch(args)
    assert.equal(code, 2, args.join(' '))
    assert.match(stderr, /rack top --(interval|sort)/)
  }
})
