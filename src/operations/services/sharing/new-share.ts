import { isIP } from 'node:net'
import { RackError } from '../../../domain/error.ts'
import { processNamePattern } from '../../../domain/manifest.ts'
import type { KeptShare } from '../../../domain/share.ts'
import { hostAndPort } from '../../../lib/host-and-port.ts'
import { isIpRange } from '../../../lib/ip-range.ts'
import { parseDuration } from '../../../lib/sizes.ts'
import type { NewShare } from './share-info.ts'

export interface WantedShare {
  consumer: string | null
  allow: string[]
  /** `HOST:PORT` */
  address: string
  expires: Date | null
  warning: string | null
}

const shortestMs = 60_000
const longestMs = 20 * 365 * 24 * 3_600_000

/** @param place at which this rack lets others in, as far as it knows @throws invalid */
export function wantedShare(asked: NewShare, place: { host: string; port: number }, now: Date): WantedShare {
  const { consumer = null, allow = [] } = asked
  if (consumer !== null && !processNamePattern.test(consumer)) {
    throw new RackError('invalid', `"${consumer}" cannot be the name of another rack`, {
      hint: 'Use 1 to 31 lower-case letters, digits and dashes, a letter first: --as office',
    })
  }
  const stranger = allow.find((range) => !isIpRange(range))
  if (stranger !== undefined) {
    throw new RackError('invalid', `"${stranger}" is no address or network`, {
      hint: 'They look like 192.0.2.7, 10.0.0.0/8 or 2001:db8::/32.',
    })
  }
  const { host, port } = asked.address === undefined ? place : readPlace(asked.address, place.port)
  const isNear = asked.address === undefined && /^(localhost|127\..*|::1)$/.test(host)
  return {
    consumer,
    allow,
    address: hostAndPort(host, port),
    expires: endOf(asked.expires, now),
    warning: isNear
      ? `the line leads to ${host}: a rack elsewhere does not find this one by it; say where it is with --address HOST`
      : null,
  }
}

/** `office.example.com`, `office.example.com:7443`, `192.0.2.7`, `[2001:db8::1]:7443` */
function readPlace(text: string, usualPort: number): { host: string; port: number } {
  const parts = /^(?:\[([0-9a-f:.]+)\]|([a-z0-9](?:[a-z0-9.-]*[a-z0-9])?))(?::(\d{1,5}))?$/i.exec(text)
  const host = isIP(text) === 6 ? text : (parts?.[1] ?? parts?.[2])
  const port = isIP(text) === 6 || parts?.[3] === undefined ? usualPort : Number(parts[3])
  if (host !== undefined && port >= 1 && port <= 65_535) return { host, port }
  throw new RackError('invalid', `"${text}" is not where a rack can be found`, {
    hint: 'Write HOST or HOST:PORT: --address office.example.com:7443',
  })
}

function endOf(text: string | undefined, now: Date): Date | null {
  if (text === undefined) return null
  const ms = parseDuration(text)
  if (ms === null || ms < shortestMs || ms > longestMs) {
    throw new RackError('invalid', `--expires: "${text}" is not a duration from 1m to 20 years`, {
      hint: 'Such as 12h, 30d or 365d.',
    })
  }
  return new Date(now.getTime() + ms)
}

/** `rack-1`, `rack-2`: the first that no share of the service has, or has had. */
export function freeConsumer(shares: KeptShare[]): string {
  const taken = new Set(shares.map(({ consumer }) => consumer))
  let number = 1
  while (taken.has(`rack-${number}`)) number++
  return `rack-${number}`
}
