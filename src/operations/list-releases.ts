import type { Receipt } from '../domain/deployment.ts'
import type { Context } from './context.ts'
import { findApp, findRelease } from './find.ts'
import type { ReleaseDetails, ReleaseInfo } from './operations.ts'

/** How far back it is told what a promote did, and how its first minute was. */
const historyLimit = 200

/** Newest first. */
export async function listReleases(context: Context, app: string, limit: number): Promise<ReleaseInfo[]> {
  const { release: live } = await findApp(context, app)
  const receipts = await receiptsByRelease(context, app)
  const releases = await context.store.releases.list(app, limit)
  return releases.map((release) => ({
    ...release,
    live: release.id === live,
    crashed: receipts.get(release.id)?.crashed ?? [],
  }))
}

export async function getRelease(context: Context, app: string, release: string): Promise<ReleaseDetails> {
  const found = await findRelease(context, app, release)
  const { release: live } = await findApp(context, app)
  const receipt = (await receiptsByRelease(context, app)).get(found.id) ?? null
  return { ...found, live: found.id === live, crashed: receipt?.crashed ?? [], receipt }
}

/** Of the newest promote of each that went through; a rollback by the rack itself is one. */
async function receiptsByRelease({ store }: Context, app: string): Promise<Map<string, Receipt>> {
  const latest = await store.operations.list(app, historyLimit)
  return new Map(
    latest.toReversed().flatMap(({ kind, intent, receipt }): [string, Receipt][] => {
      const isPromote = kind === 'promote' || kind === 'rollback'
      return isPromote && receipt ? [[intent.release ?? '', receipt]] : []
    }),
  )
}
