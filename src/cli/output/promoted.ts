import type { Reply } from '../../client/client-types.ts'
import { formatDuration } from '../../lib/sizes.ts'
import type { Following } from '../follow.ts'
import type { Session } from '../session.ts'

type Promoted = Reply<'promoteRelease'>

/** Says what a change ended with: the receipt to the person, the addresses as data. */
export function showPromoted(
  { output, isJson }: Session,
  following: Following,
  promoted: Promoted,
  more: object = {},
): void {
  following.result({ ...promoted, ...more })
  if (isJson) return
  const { app, release, receipt, endpoints } = promoted
  following.note(output.colors.say.green(`${app} is live with ${release}`))
  following.note(receiptText(receipt))
  following[Symbol.dispose]()
  for (const { url } of endpoints) output.data(url)
}

/** `started cache; replaced web, worker; kept redis; 1,204 requests meanwhile, 0 failed, longest stall 31 ms` */
function receiptText({ requests, failed, longestStallMs, ...types }: Promoted['receipt']): string {
  const { started, replaced, kept } = types
  const said = (verb: string, names: string[]) => (names.length > 0 ? [`${verb} ${names.join(', ')}`] : [])
  const changed = [...said('started', started), ...said('replaced', replaced)]
  const parts = [
    ...(changed.length > 0 ? changed : ['nothing was replaced']),
    ...said('kept', kept),
    requestsText(requests, failed, longestStallMs),
  ]
  return parts.join('; ')
}

function requestsText(requests: number, failed: number, longestStallMs: number | null): string {
  if (requests === 0) return 'no requests meanwhile'
  const stall = longestStallMs === null ? '' : `, longest stall ${formatDuration(longestStallMs)}`
  return `${requests.toLocaleString('en')} requests meanwhile, ${failed} failed${stall}`
}
