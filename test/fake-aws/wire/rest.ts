import type { Operation, Shape } from './shape.ts'
import type { Answer, Wire, WireRequest } from './request.ts'
import { readJson, writeJson } from './json.ts'
import { bodyOf } from './json-rpc.ts'
import { fromText, refuse, toText } from './value.ts'
import { escaped, parseXml } from './xml.ts'
import { readXml, writeMembers } from './xml-value.ts'

const inBody = ({ member }: Shape) =>
  !member.httpLabel &&
  !member.httpQuery &&
  !member.httpQueryParams &&
  !member.httpHeader &&
  !member.httpPrefixHeaders &&
  !member.httpPayload &&
  !member.httpResponseCode

interface Address {
  labels: Record<string, string>
  fixed: URLSearchParams
}

/** Where a request's path and query are those of an operation: what stands at its labels. */
function matched(request: WireRequest, [method, uri]: [string, string, number]): Address | undefined {
  if (method !== request.method) return undefined
  const [path = '', query = ''] = uri.split('?')
  const fixed = new URLSearchParams(query)
  for (const [name, value] of fixed) if (request.query.get(name) !== value) return undefined
  const names: string[] = []
  const pattern = path
    .split('/')
    .map((part) =>
      part.replace(/^\{(\w+)(\+?)\}$/, (_, name: string, greedy: string) => {
        names.push(name)
        return greedy ? '(.+)' : '([^/]+)'
      }),
    )
    .join('/')
  const found = new RegExp(`^${pattern}/?$`).exec(request.path)
  if (!found) return undefined
  return {
    labels: Object.fromEntries(names.map((name, at) => [name, decodeURIComponent(found[at + 1]!)])),
    fixed,
  }
}

/** In a path of S3 the bucket comes first, and no template of the SDK's has it (`forcePathStyle`, S). */
function withoutBucket(request: WireRequest): { request: WireRequest; bucket: string } {
  const [, bucket = '', ...rest] = request.path.split('/')
  return { request: { ...request, path: `/${rest.join('/')}` }, bucket: decodeURIComponent(bucket) }
}

const ofSignature = /^X-Amz-|^x-amz-/

function readQuery(shape: Shape, query: URLSearchParams, fixed: URLSearchParams): Record<string, unknown> {
  const names = new Map(
    [...shape.members].flatMap(([name, { member }]) => (member.httpQuery ? [[member.httpQuery, name]] : [])),
  )
  const read: Record<string, unknown> = {}
  for (const key of new Set(query.keys())) {
    if (fixed.has(key) || (ofSignature.test(key) && !names.has(key))) continue
    const name = names.get(key) ?? refuse(key, 'no such parameter')
    const member = shape.members.get(name)!
    const values = query.getAll(key)
    read[name] =
      member.kind === 'list'
        ? values.map((value) => fromText(member.value, value, name))
        : fromText(member, values[0]!, name)
  }
  return read
}

function readHeaders(shape: Shape, headers: Record<string, string>): Record<string, unknown> {
  const read: Record<string, unknown> = {}
  for (const [name, member] of shape.members) {
    const { httpHeader, httpPrefixHeaders } = member.member
    const text = httpHeader && headers[httpHeader.toLowerCase()]
    if (text !== undefined && text !== '')
      read[name] = member.kind === 'list' ? text.split(/,\s*/) : fromText(member, text, name)
    if (!httpPrefixHeaders) continue
    const own = Object.entries(headers).filter(([key]) => key.startsWith(httpPrefixHeaders.toLowerCase()))
    if (own.length > 0)
      read[name] = Object.fromEntries(own.map(([key, value]) => [key.slice(httpPrefixHeaders.length), value]))
  }
  return read
}

const payloadOf = (shape: Shape) => [...shape.members].find(([, { member }]) => member.httpPayload)

/** How the body is written, where it is not bytes. */
interface Body {
  type: string
  read(shape: Shape, body: Buffer): object
  write(shape: Shape, value: object, root: string): string
  error: Wire['error']
}

function readBody(shape: Shape, request: WireRequest, body: Body): Record<string, unknown> {
  const payload = payloadOf(shape)
  if (payload) {
    const [name, member] = payload
    if (request.body.length === 0) return {}
    return { [name]: member.kind === 'blob' ? new Uint8Array(request.body) : body.read(member, request.body) }
  }
  return request.body.length === 0 ? {} : { ...body.read(shape, request.body) }
}

function headersOf(shape: Shape, value: Record<string, unknown>): Record<string, string> {
  const headers: Record<string, string> = {}
  for (const [name, member] of shape.members) {
    const { httpHeader, httpPrefixHeaders } = member.member
    const item = value[name]
    if (item === undefined || item === null) continue
    if (httpHeader) headers[httpHeader.toLowerCase()] = toText(member, item, 'header')
    if (httpPrefixHeaders)
      for (const [key, text] of Object.entries(item)) headers[`${httpPrefixHeaders}${key}`] = String(text)
  }
  return headers
}

function write(operation: Operation, value: object, body: Body): Answer {
  const shape = operation.output
  const status = operation.traits.http?.[2] ?? 200
  if (shape.kind === 'unit') return { status, headers: {}, body: '' }
  const record = value as Record<string, unknown>
  const headers = headersOf(shape, record)
  const payload = payloadOf(shape)
  if (payload) {
    const [name, member] = payload
    const item = record[name]
    if (item instanceof Uint8Array || typeof item === 'string') return { status, headers, body: item }
    const root = member.member.xmlName ?? member.own.xmlName ?? member.name
    return {
      status,
      headers: { ...headers, 'content-type': body.type },
      body: item ? body.write(member, item, root) : '',
    }
  }
  if (![...shape.members.values()].some(inBody)) return { status, headers, body: '' }
  return {
    status,
    headers: { 'content-type': body.type, ...headers },
    body: body.write(shape, value, shape.own.xmlName ?? shape.name),
  }
}

function rest(body: Body, hasBucket: boolean): Wire {
  const within = (request: WireRequest) =>
    hasBucket ? withoutBucket(request) : { request, bucket: undefined }
  return {
    action(whole, operations) {
      const { request } = within(whole)
      const found = operations
        .map((operation) => ({
          operation,
          address: operation.traits.http && matched(request, operation.traits.http),
        }))
        .filter(({ address }) => address)
        .toSorted((a, b) => b.address!.fixed.size - a.address!.fixed.size)
      return found[0]?.operation.name ?? `${whole.method} ${whole.path}`
    },
    read(whole, { input, traits }) {
      const { request, bucket } = within(whole)
      const { labels, fixed } = matched(request, traits.http!)!
      const read = {
        ...readHeaders(input, request.headers),
        ...readBody(input, request, body),
        ...readQuery(input, request.query, fixed),
      }
      for (const [name, text] of Object.entries(labels))
        read[name] = fromText(input.members.get(name)!, text, name)
      return bucket === undefined ? read : { ...read, Bucket: bucket }
    },
    write: (operation, value) => write(operation, value, body),
    error: body.error,
  }
}

const json: Body = {
  type: 'application/json',
  read: (shape, body) => readJson(shape, bodyOf(body), '', { named: true }) as object,
  write(shape, value) {
    const members = [...shape.members].filter(([, member]) => inBody(member) || member.member.httpPayload)
    const only = Object.fromEntries(members.map(([name]) => [name, (value as Record<string, unknown>)[name]]))
    return JSON.stringify(writeJson(shape, only, { named: true }))
  },
  error: ({ message, status, details }, { code }) => ({
    status,
    headers: { 'content-type': 'application/json', 'x-amzn-errortype': code },
    body: JSON.stringify({ ErrorCode: code, message, Message: message, ...details }),
  }),
}

function parsed(body: Buffer) {
  try {
    return parseXml(body.toString('utf8'))
  } catch (error) {
    return refuse('', `is no XML: ${(error as Error).message}`)
  }
}

const xml: Body = {
  type: 'application/xml',
  read: (shape, body) => readXml(shape, parsed(body), inBody),
  write: (shape, value, root) =>
    `<?xml version="1.0"?><${root}>${writeMembers(shape, value, inBody)}</${root}>`,
  error: ({ message, status }, { code, body }, requestId) => ({
    status,
    headers: { 'content-type': 'text/xml' },
    body:
      `<ErrorResponse><Error><Type>${status < 500 ? 'Sender' : 'Receiver'}</Type><Code>${code}</Code>` +
      `<Message>${escaped(message)}</Message>${body}</Error><RequestId>${requestId}</RequestId></ErrorResponse>`,
  }),
}

const s3: Body = {
  ...xml,
  error: ({ message, status }, { code, body }, requestId) => ({
    status,
    headers: { 'content-type': 'application/xml' },
    body: `<Error><Code>${code}</Code><Message>${escaped(message)}</Message>${body}<RequestId>${requestId}</RequestId></Error>`,
  }),
}

export const restJson: Wire = rest(json, false)
export const restXml: Wire = rest(xml, false)
export const restS3: Wire = rest(s3, true)
