import { createHash, createHmac } from 'node:crypto'
import type { Account } from '../domain/routing.ts'
import { inLines, plainText } from './haproxy-syntax.ts'
import type { Backend, Passes } from './route-table.ts'

/**
 * The digests of accounts. Not a slow hash like crypt's: HAProxy would make it anew for every request, and 600 of them
 * a second keep its processor busy, for the apps of everyone.
 * @param scope tells the same account of two places apart; the same scope gives the same bytes
 */
export function passesOf(accounts: Account[], scope: string): Passes {
  const key = createHash('sha256').update(`rack basic authentication ${scope}`).digest()
  const digestOf = ({ user, password }: Account) =>
    createHmac('sha256', key).update(`${user}:${password}`).digest('hex').toUpperCase()
  return { key: key.toString('base64'), digests: accounts.map(digestOf).sort() }
}

/** Lines of an http backend that turn away who may not come in; the address counts before the password. */
export function httpVisitorRules({ allowedSources, passes }: Backend, realm: string): string[] {
  return [...(allowedSources ? sourceRules(allowedSources) : []), ...(passes ? passRules(passes, realm) : [])]
}

/** Lines of a tcp frontend that close connections from elsewhere; or of a backend, for what came by a port of several. */
export function tcpVisitorRules(
  { allowedSources }: Backend,
  at: 'connection' | 'content' = 'connection',
): string[] {
  if (!allowedSources) return []
  return [...sourceList(allowedSources), `tcp-request ${at} reject unless from-allowed-source`]
}

function sourceRules(allowed: string[]): string[] {
  const answer = plainText('Your address may not use this app.')
  return [...sourceList(allowed), `http-request return status 403 ${answer} unless from-allowed-source`]
}

function sourceList(allowed: string[]): string[] {
  return inLines(allowed).map((some) => `acl from-allowed-source src ${some}`)
}

function passRules({ key, digests }: Passes, realm: string): string[] {
  const digest = `http_auth_user,concat(:,txn.rack_password),hmac(sha256,${key}),hex`
  return [
    'http-request set-var(txn.rack_password) http_auth_pass',
    ...inLines(digests).map((some) => `acl has-pass ${digest} -m str ${some}`),
    `http-request auth realm ${realm} unless has-pass`,
  ]
}
