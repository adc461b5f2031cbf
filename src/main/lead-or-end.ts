import type { Logger } from 'pino'
import type { Control } from '../domain/control.ts'
import { RackError } from '../domain/error.ts'
import type { Lease } from '../domain/store.ts'
import { pause } from '../lib/poll.ts'

const askEveryMs = 1000

interface Leading {
  /** @throws conflict while another leads */
  lead: () => Promise<Lease>
  log: Logger
  /** How long another that leads is waited for, ms. */
  patienceMs: number
}

/**
 * Leads a store until disposed. A daemon that has lost the lead ends at once, in the middle of what it does: another
 * may lead by now, and what is left open it takes up.
 * @throws conflict while another leads, and goes on to
 */
export async function leadOrEnd(leading: Leading, control: Control): Promise<AsyncDisposable> {
  const { log } = leading
  const lease = await leadInTime(leading, control)
  const end = () => {
    log.fatal({ err: lease.lost.reason as Error }, 'the daemon ends: it no longer leads its store')
    log.flush()
    process.exit(1)
  }
  if (lease.lost.aborted) end()
  lease.lost.addEventListener('abort', end, { once: true })
  return {
    async [Symbol.asyncDispose]() {
      lease.lost.removeEventListener('abort', end)
      await lease[Symbol.asyncDispose]()
    },
  }
}

/** Of two where the one takes the other's place, the first may not have ended yet. */
async function leadInTime({ lead, log, patienceMs }: Leading, { signal }: Control): Promise<Lease> {
  const untilMs = performance.now() + patienceMs
  for (let isTold = false; ; isTold = true) {
    try {
      return await lead()
    } catch (error) {
      const isLed = error instanceof RackError && error.code === 'conflict'
      if (!isLed || performance.now() >= untilMs) throw error
      if (!isTold) log.info({ err: error }, 'the daemon waits for the lead')
    }
    await pause(askEveryMs, signal)
  }
}
