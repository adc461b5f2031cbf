import type { Client, Reply } from '../client/client-types.ts'
import { followStream } from '../client/follow-stream.ts'

/** Ends a service for somebody who is told of nothing but its end. */
export async function endService(client: Client, service: string, volumes: boolean): Promise<void> {
  await followStream(client.deleteService({ params: { service }, query: { volumes } }), () => undefined)
}

/** What the account keeps of a service that is deleted; of an earlier rack there is no word of it. */
export function snapshotOf(deleted: Reply<'deleteService'> | null): string | null {
  return deleted?.snapshot ?? null
}
