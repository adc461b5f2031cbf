import { plainText, quote } from '../haproxy-syntax.ts'
import { challengePath, type Shown } from './shown-certificates.ts'

/**
 * What TLS is spoken with: Mozilla's intermediate list, version 5.7. No tickets: a worker's keys for them live as long as
 * the worker, and whoever got hold of them would read what was said before.
 * @see https://ssl-config.mozilla.org/guidelines/5.7.json
 */
const ciphers = [
  'ECDHE-ECDSA-AES128-GCM-SHA256',
  'ECDHE-RSA-AES128-GCM-SHA256',
  'ECDHE-ECDSA-AES256-GCM-SHA384',
  'ECDHE-RSA-AES256-GCM-SHA384',
  'ECDHE-ECDSA-CHACHA20-POLY1305',
  'ECDHE-RSA-CHACHA20-POLY1305',
  'DHE-RSA-AES128-GCM-SHA256',
  'DHE-RSA-AES256-GCM-SHA384',
  'DHE-RSA-CHACHA20-POLY1305',
]
const suites = ['TLS_AES_128_GCM_SHA256', 'TLS_AES_256_GCM_SHA384', 'TLS_CHACHA20_POLY1305_SHA256']

/** Lines of the global section. */
export function tlsDefaults(): string[] {
  return [
    `ssl-default-bind-ciphers ${ciphers.join(':')}`,
    `ssl-default-bind-ciphersuites ${suites.join(':')}`,
    'ssl-default-bind-options prefer-client-ciphers ssl-min-ver TLSv1.2 no-tls-tickets',
    'tune.ssl.default-dh-param 2048',
  ]
}

/** What follows the address of a listener that ends TLS. @param alpn what it speaks behind it; nothing is said of none */
export function tlsBind(
  { defaultPath, listPath }: Pick<Shown, 'defaultPath' | 'listPath'>,
  alpn: readonly string[] = ['h2', 'http/1.1'],
): string {
  const spoken = alpn.length > 0 ? ` alpn ${alpn.join(',')}` : ''
  return `ssl crt ${quote(defaultPath)} crt-list ${quote(listPath)}${spoken}`
}

/**
 * Lines that answer an authority for challenges that are open, before anything of the host's own is asked: neither
 * redirect, nor addresses, nor passwords. Whatever else lies at that path is the app's.
 */
export function challengeRules({ challengesPath }: Pick<Shown, 'challengesPath'>): string[] {
  const answer = `path,map_str(${quote(challengesPath)})`
  const isOpen = `{ path_beg ${challengePath} } { ${answer} -m found }`
  return [
    `http-request return status 200 content-type application/octet-stream lf-string %[${answer}] if ${isOpen}`,
  ]
}

/** Lines by which who names no host to TLS gets nothing, whatever the request says. */
export function namelessRules(): string[] {
  return [
    `http-request return status 404 ${plainText('There is no site by this name here.')} if { ssl_fc } !{ ssl_fc_has_sni }`,
  ]
}

/** Lines of the http frontend that send visitors to https where a host asks for it; behind the rules of forwarding. */
export function redirectRules({ redirectsPath }: Shown, nameAsked: string, httpsPort: number): string[] {
  const port = httpsPort === 443 ? '' : `:${httpsPort}`
  // A trusted proxy in front has ended TLS already.
  const isWanted = `{ var(${nameAsked}),map_str(${quote(redirectsPath)}) -m found }`
  return [
    `http-request redirect code 308 location https://%[req.fhdr(host),host_only]${port}%[pathq] if ${isWanted} !{ req.fhdr(x-forwarded-proto) -i https }`,
  ]
}
