import { X509Certificate } from 'node:crypto'
import { createSecureContext } from 'node:tls'
import { crc32 } from 'node:zlib'
import { RackError } from '../../../domain/error.ts'
import type { LinkAddress } from '../../../domain/link.ts'
import { processNamePattern } from '../../../domain/manifest.ts'
import type { SharedEnd } from '../../../domain/share.ts'
import { isHost, isPort } from '../../../lib/host-and-port.ts'
import { pemLabels } from '../../../lib/x509/pem.ts'

/** All that another rack needs: what is shared, who logs in there, and how it comes in. A secret. */
export interface ShareTicket {
  service: string
  consumer: string
  expires: string | null
  /** As its own rack's processes know it; the host does not count. */
  address: Omit<LinkAddress, 'end'>
  end: SharedEnd
}

const prefix = 'rack-share:'
const version = 1
const longestLine = 20_000

/** One line without a blank: it ends with a sum, so that one that was cut is known. */
export function writeShareLine(ticket: ShareTicket): string {
  const body = Buffer.from(JSON.stringify(ticket)).toString('base64url')
  return `${prefix}${version}:${body}:${sumOf(body)}`
}

/** Blanks and ends of lines that came in by copying are let go. No error repeats the line. @throws invalid */
export function readShareLine(text: string): ShareTicket {
  const line = text.replaceAll(/\s/g, '')
  if (line === '') throw badLine('there is no line')
  if (!line.startsWith(prefix)) throw badLine('this is no line of rack services share')
  const [given = '', body = '', sum = '', ...more] = line.slice(prefix.length).split(':')
  if (line.length > longestLine || more.length > 0)
    throw badLine('the line is longer than one that was printed')
  if (/^\d+$/.test(given) && Number(given) > version)
    throw badLine('the line is of a newer Rack', 'Bring this rack up to date.')
  if (body === '' || sum !== sumOf(body)) throw badLine('the line was cut, or has been changed on its way')
  const ticket = ticketOf(body)
  if (!ticket) throw badLine('the line is whole, and does not say what one that was printed says')
  return ticket
}

/** What a body says, where it is what `writeShareLine` writes: whoever has made the line may have meant harm. */
function ticketOf(body: string): ShareTicket | null {
  try {
    const { service, consumer, expires, address, end } = JSON.parse(
      Buffer.from(body, 'base64url').toString(),
    ) as Told<ShareTicket>
    const isGood =
      [service, consumer].every((name) => isText(name, processNamePattern)) &&
      (expires === null || (isText(expires) && !Number.isNaN(Date.parse(expires)))) &&
      isAddress(address as Told<LinkAddress>) &&
      isEnd(end as Told<SharedEnd>)
    return isGood ? wholeTicket({ service, consumer, expires, address, end } as ShareTicket) : null
  } catch {
    // What is no JSON, no object, or no certificate. What a library says of it may repeat a secret.
    return null
  }
}

type Told<T> = { [Key in keyof T]?: unknown }

/** Of one line, and of no character that steers. */
const isText = (value: unknown, pattern = /^[^\p{Cc}]*$/u): value is string =>
  typeof value === 'string' && pattern.test(value)

function isAddress({ scheme, host, port, path, username, password, query }: Told<LinkAddress>): boolean {
  return (
    isText(scheme, /^[a-z][a-z0-9+.-]*$/) &&
    isText(path, /^(\/[^\p{Cc}]*)?$/u) &&
    [host, username, password].every((text) => isText(text)) &&
    isPort(port) &&
    (query === undefined || isText(query, /^[?#][^\p{Cc}]*$/u))
  )
}

/** @throws whatever the library throws for what is no certificate, or has another key */
function isEnd({ id, host, port, authority, certificate }: Told<SharedEnd>): boolean {
  if (!isText(id, /^S[A-Z]{10}$/) || !isText(host) || !isHost(host) || !isPort(port)) return false
  if (typeof authority !== 'string' || typeof certificate !== 'string') return false
  const labels = [...(pemLabels(authority) ?? []), ...(pemLabels(certificate) ?? [])]
  if (labels.join() !== 'CERTIFICATE,CERTIFICATE,PRIVATE KEY') return false
  if (!new X509Certificate(authority).ca) return false
  createSecureContext({ cert: certificate, key: certificate })
  return true
}

/** Without what else a line may say. */
function wholeTicket({ service, consumer, expires, address, end }: ShareTicket): ShareTicket {
  const { scheme, host, port, path, username, password, query } = address
  return {
    service,
    consumer,
    expires,
    address: { scheme, host, port, path, username, password, ...(query !== undefined && { query }) },
    end: {
      id: end.id,
      host: end.host,
      port: end.port,
      authority: end.authority,
      certificate: end.certificate,
    },
  }
}

const lineHint =
  'It is printed whole by rack services share, and best kept in a file: rack services share NAME --output FILE'

function badLine(what: string, hint = lineHint): RackError {
  return new RackError('invalid', what, { hint })
}

function sumOf(body: string): string {
  return crc32(body).toString(16).padStart(8, '0')
}
