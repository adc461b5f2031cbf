import type { Logger } from 'pino'
import type { Control } from '../domain/control.ts'
import type { Store } from '../domain/store.ts'

/**
 * Leads the store until disposed. A daemon that has lost the lead ends at once, in the middle of what it does: another
 * may lead by now, and what is left open it takes up.
 * @throws conflict while another leads
 */
export async function leadOrEnd(store: Store, log: Logger, control: Control): Promise<AsyncDisposable> {
  const lease = await store.lead(control)
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
