import { randomBytes } from 'node:crypto'
import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type ClosableClock, createFakeClock } from './clock.ts'
import type { FakeAccount } from './fake-service.ts'

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
  return {
    clock: createFakeClock({ factor }),
    region,
    account,
    run: `fa${randomBytes(4).toString('hex')}`,
    directory: await mkdtemp(join(tmpdir(), 'fake-aws-')),
    troubles,
    onTrouble: (error) => void troubles.push(error),
  }
}
