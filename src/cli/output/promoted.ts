import type { Reply } from '../../client/client-types.ts'
import { formatDuration } from '../../lib/sizes.ts'
import type { Following } from '../follow.ts'
import type { Session } from '../session.ts'
import { nextText } from './next-time.ts'

type Promoted = Reply<'promoteRelease'>
type Receipt = Promoted['receipt']

/** What a build ended with. */
export interface Built {
  app: string
  build: string
  release: string
}

/** Says what a build ended with: what makes it live to the person, the release as data. */
export function showBuilt({ output, isJson }: Session, following: Following, built: Built): void {
  const { app, release } = built
  following.result(built)
  following.note(`${release} of ${app} is ready; make it live: rack releases promote ${release} --app ${app}`)
  following[Symbol.dispose]()
  if (!isJson) output.data(release)
}

/** Says what a change ended with: the receipt to the person, the addresses as data. */
export function showPromoted(
  { output, isJson }: Session,
  following: Following,
  promoted: Promoted,
  more: object = {},
): void {
  following.result({ ...promoted, ...more })
  if (isJson) return
  const { app, release, receipt, endpoints, timers, noticed } = promoted
  following.note(output.colors.say.green(`${app} is live with ${release}`))
  following.note(receiptText(receipt))
  for (const { process, type, detail } of receipt.crashed ?? []) {
    following.note(
      output.colors.say.red(`${process} of ${type} did not stay: ${detail}; see: rack logs --type ${type}`),
    )
  }
  for (const timer of timers) following.note(nextText(timer))
  for (const port of noticed ?? []) following.note(noticedText(port))
  following[Symbol.dispose]()
  for (const { url } of endpoints) output.data(url)
}

/** No file says it, so it is said once: what the rack will do, and how it is told not to. */
function noticedText({ process, port, external, url }: NonNullable<Promoted['noticed']>[number]): string {
  return (
    `${process} speaks HTTP on port ${port}: the next promote serves it by name too${url ? `, as ${url}` : ''}; ` +
    `the label rack.port.${external}.protocol=http gives it the name alone, =tcp the raw port ${external} alone`
  )
}

/** `started cache; replaced web, worker; kept redis; 1,204 requests meanwhile, 0 failed, longest stall 31 ms` */
export function receiptText({ started, replaced, kept, draining, measurement, ...counts }: Receipt): string {
  const said = (verb: string, names: string[]) => (names.length > 0 ? [`${verb} ${names.join(', ')}`] : [])
  const changed = [...said('started', started), ...said('replaced', replaced)]
  const parts = [
    ...(changed.length > 0 ? changed : ['nothing was replaced']),
    ...said('kept', kept),
    measurement === null ? requestsText(counts) : drainText(draining),
  ]
  return parts.join('; ')
}

/** The promote is over: what drains behind it may take as long as the file says. */
function drainText({ length }: Receipt['draining']): string {
  const whose =
    length === 1 ? 'an old process ends its connections' : `${length} old processes end their connections`
  return `${whose} behind it (rack ps), and the next change may begin`
}

type Counts = Pick<Receipt, 'requests' | 'failed' | 'held' | 'longestStallMs'>

function requestsText({ requests, failed, held, longestStallMs }: Counts): string {
  if (requests === null) return 'requests meanwhile are not known'
  if (requests === 0) return 'no requests meanwhile'
  const waited = held ? `, ${held.toLocaleString('en')} waited for a process` : ''
  const stall = longestStallMs === null ? '' : `, longest stall ${formatDuration(longestStallMs)}`
  return `${requests.toLocaleString('en')} requests meanwhile, ${failed} failed${waited}${stall}`
}
