import { inLines, plainText } from './haproxy-syntax.ts'

/** How many proxies, one behind the other, may stand before the router. */
const mostProxies = 3

/** Lower-case, without a final dot: as the names of the table are written. */
const plainHost = "'^([a-z0-9_]([a-z0-9._-]*[a-z0-9_-])?|\\[[0-9a-f:.]+\\])(:[0-9]{1,5})?$'"
const badHost = `http-request deny status 400 ${plainText('The request does not name one host.')}`

/**
 * What a program behind the router could take for the router's own word: CGI makes one of `-` and `_`, and some servers
 * of other signs too.
 */
const lookAlikes = "'^(forwarded|proxy|x.real.ip|x[^-]forwarded.*|x.forwarded[^-].*)$'"

/**
 * Lines of the http frontend that make a request say one thing to everybody: one host, as it is looked for; no header
 * that the client forged; no upgrade but to a websocket, since what runs inside another one is not looked at.
 */
export function requestRules(trustedProxies: readonly string[], scheme: 'http' | 'https'): string[] {
  return [
    ...hostRules(),
    'http-request del-header Upgrade unless { req.fhdr_cnt(upgrade) eq 1 } { req.fhdr(upgrade) -i websocket }',
    'http-request del-header HTTP2-Settings',
    // Names in it are headers that the next one takes away, those of the router too.
    'http-request set-header Connection upgrade if { req.fhdr(upgrade) -m found }',
    'http-request del-header Connection unless { req.fhdr(upgrade) -m found }',
    `http-request del-header ${lookAlikes} -m reg`,
    ...(trustedProxies.length === 0 ? strangersRules(scheme) : proxiesRules(trustedProxies, scheme)),
  ]
}

/** Lines of the http frontend by which a trusted proxy is known, before it has said a word. */
export function trustedProxyList(trustedProxies: readonly string[]): string[] {
  return inLines([...trustedProxies]).map((some) => `acl from-trusted-proxy src ${some}`)
}

/** HAProxy itself refuses two names that differ, and a name that is not the one of the request's line. */
function hostRules(): string[] {
  const isPlain = `{ req.fhdr(host) -m reg ${plainHost} }`
  const normalized = `req.fhdr(host),lower,'regsub("\\.(:|$)","\\1")'`
  return [
    `http-request set-header Host %[${normalized}] unless ${isPlain}`,
    `${badHost} unless { req.fhdr_cnt(host) eq 1 } ${isPlain} !{ req.fhdr(host),length gt 255 }`,
  ]
}

/** Replaced, not appended: what a client says of itself is not evidence. */
function strangersRules(scheme: string, condition = ''): string[] {
  return [
    `http-request del-header x-forwarded- -m beg${condition}`,
    `http-request set-header X-Forwarded-For %[src]${condition}`,
    `http-request set-header X-Forwarded-Proto ${scheme}${condition}`,
    `http-request set-header X-Forwarded-Port %[dst_port]${condition}`,
    `http-request set-header X-Forwarded-Host %[req.fhdr(host)]${condition}`,
  ]
}

/**
 * What a trusted proxy says is kept and extended, and whom it names is the client from then on. A worker that hands the
 * request on leaves that to the one that serves.
 */
function proxiesRules(trustedProxies: readonly string[], scheme: string): string[] {
  const here = 'from-trusted-proxy !{ stopping }'
  const unlessSaid = (name: string, value: string) =>
    `http-request set-header ${name} ${value} if from-trusted-proxy !{ req.fhdr(${name}) -m found }`
  const behind = Array.from({ length: mostProxies }, (_, hop) => {
    const named = `http-request set-var(txn.rack_client) req.hdr_ip(x-forwarded-for,-${hop + 2})`
    return `${named} if ${here}${hop === 0 ? '' : ' client-is-proxy'}`
  })
  return [
    ...strangersRules(scheme, ' unless from-trusted-proxy'),
    unlessSaid('X-Forwarded-Proto', scheme),
    unlessSaid('X-Forwarded-Port', '%[dst_port]'),
    unlessSaid('X-Forwarded-Host', '%[req.fhdr(host)]'),
    `http-request add-header X-Forwarded-For %[src] if ${here}`,
    ...inLines([...trustedProxies]).map((some) => `acl client-is-proxy var(txn.rack_client) -m ip ${some}`),
    ...behind,
    // The last rule: from here on the source is the client.
    `http-request set-src var(txn.rack_client) if ${here} { var(txn.rack_client) -m found }`,
  ]
}
