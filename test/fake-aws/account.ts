import { randomBytes } from 'node:crypto'
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type ClosableClock, createFakeClock } from './clock.ts'
import type { FakeAccount } from './fake-service.ts'
import { identifyProcess, isSameProcess } from '../../src/lib/process-identity.ts'

export interface AccountOptions {
  /** How many times faster than AWS: 20 when absent. */
  factor?: number
  region?: string
  account?: string
}

/** What services are made with. A service's own tests use it alone; `troubles` is to be empty at their end. */
export async function createFakeAccount({
  factor = 20,
  region = 'eu-test-1',
  account = '123456789012',
}: AccountOptions = {}): Promise<FakeAccount & { clock: ClosableClock; troubles: unknown[] }> {
  const troubles: unknown[] = []
  await sweepDirectories()
  return {
    clock: createFakeClock({ factor }),
    region,
    account,
    run: `fa${randomBytes(4).toString('hex')}`,
    directory: await mkdtemp(join(tmpdir(), await ownPrefix())),
    startFailures: [],
    troubles,
    onTrouble: (error) => void troubles.push(error),
  }
}

/** Directories bear the process that they end with, so that those of dead ones can be told. */
async function ownPrefix(): Promise<string> {
  const { startTicks } = (await identifyProcess(process.pid)) ?? { startTicks: 0 }
  return `fake-aws-${process.pid}.${startTicks}-`
}

/** What accounts of processes that were killed have left behind. */
async function sweepDirectories(): Promise<void> {
  for (const name of await readdir(tmpdir())) {
    const [, pid, startTicks] = /^fake-aws-(\d+)\.(\d+)-/.exec(name) ?? []
    if (pid === undefined) continue
    if (await isSameProcess(Number(pid), { startTicks: Number(startTicks) })) continue
    await rm(join(tmpdir(), name), { recursive: true, force: true })
  }
}
