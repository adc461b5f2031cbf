import { generateKeyPair, X509Certificate } from 'node:crypto'
import { promisify } from 'node:util'
import { certificateFor } from '../../domain/certificate.ts'
import { followedOn, type AcmeAccount, type KeptOrder } from '../../domain/certificate-order.ts'
import type { Control } from '../../domain/control.ts'
import { RackError } from '../../domain/error.ts'
import { problemOf } from '../../lib/acme/acme-problem.ts'
import type { Authorization, Order } from '../../lib/acme/call-acme.ts'
import { pause } from '../../lib/poll.ts'
import { readPair } from '../certificates/read-pair.ts'
import type { Context } from '../context.ts'
import { meetChallenge, withdrawChallenge } from './challenges.ts'
import { acmeCalls, writtenDown, type Flow } from './order-flow.ts'

const firstPauseMs = 250
const lastPauseMs = 5000

/**
 * Has a certificate of the authority, and shows it from then on; what it follows on leaves after that. Each step is
 * written down before it is taken, so that whoever comes later goes on from there.
 * @throws AcmeProblem, or a RackError, for what keeps it from being had
 */
export async function carryOutOrder(
  context: Context,
  { name, account }: Pick<Flow, 'name' | 'account'>,
  control: Control,
): Promise<void> {
  const { callAcme, retryAfterMs } = await acmeCalls()
  const peer = { ...account, account: account.url }
  await callAcme(peer, control, async (client) => {
    const flow: Flow = { context, name, account, client, control, retryAfterMs }
    let order = await placed(flow)
    order = await decided(flow, order, 'pending', async () => await prove(flow, order))
    // Of a daemon that was killed after the authority had looked.
    await withdrawChallenge(flow)
    if (order.status === 'ready') order = await finalize(flow, order)
    order = await decided(flow, order, 'processing')
    await take(flow, await client.getCertificate(order))
  })
}

/** The order as the authority has it; placed there where it is not yet. */
async function placed(flow: Flow): Promise<Order> {
  const { context, name, client } = flow
  const { url } = writtenDown(flow)
  if (url !== null) return await client.getOrder({ url } as Order)
  await withdrawChallenge(flow)
  const order = await client.createOrder({ identifiers: [{ type: 'dns', value: name }] })
  await context.orders.change(name, { url: order.url, key: await makeKey() })
  return order
}

/** What is written down of an order at this authority; one at another is begun anew, and what that has left is kept in mind. */
export function orderAt(context: Context, name: string, { directory }: AcmeAccount): KeptOrder {
  const known = context.orders.order(name)
  if (known?.directory === directory) return known
  const next = context.now().toISOString()
  const challenge = known?.challenge ?? null
  return { name, directory, url: null, challenge, failures: 0, next, failed: null, key: null }
}

/** Waits until the authority has left a state. @throws AcmeProblem when it refuses */
async function decided(
  flow: Flow,
  order: Order,
  undecided: Order['status'],
  first: () => Promise<void> = async () => undefined,
): Promise<Order> {
  let [now, pauseMs] = [order, firstPauseMs]
  if (now.status === undecided) {
    await first()
    now = await flow.client.getOrder(order)
  }
  while (now.status === undecided) {
    await pause(Math.max(pauseMs, flow.retryAfterMs()), flow.control.signal)
    pauseMs = Math.min(pauseMs * 2, lastPauseMs)
    now = await flow.client.getOrder(order)
  }
  if (now.status === 'invalid')
    throw problemOf((await whyInvalid(flow, now)) ?? { detail: 'the order is invalid' })
  return now
}

async function whyInvalid({ client }: Flow, order: Order) {
  const challenges = (await client.getAuthorizations(order)).flatMap((each) => each.challenges)
  return order.error ?? challenges.find(({ error }) => error)?.error
}

async function prove(flow: Flow, order: Order): Promise<void> {
  for (const authorization of await flow.client.getAuthorizations(order)) {
    if (authorization.status !== 'pending') continue
    const challenge = await meetChallenge(flow, authorization)
    // One that it looks into already is not asked for again.
    if (challenge.status === 'pending') await flow.client.completeChallenge(challenge)
    await untilLookedAt(flow, order, authorization)
    await withdrawChallenge(flow)
  }
}

/** Whatever it has found: the order says what becomes of that. */
async function untilLookedAt(flow: Flow, order: Order, { url }: Authorization): Promise<void> {
  for (let pauseMs = firstPauseMs; ; pauseMs = Math.min(pauseMs * 2, lastPauseMs)) {
    const all = await flow.client.getAuthorizations(order)
    if (all.find((each) => each.url === url)?.status !== 'pending') return
    await pause(Math.max(pauseMs, flow.retryAfterMs()), flow.control.signal)
  }
}

async function finalize(flow: Flow, order: Order): Promise<Order> {
  const { certificateRequest } = await acmeCalls()
  return await flow.client.finalizeOrder(order, await certificateRequest(flow.name, writtenDown(flow).key!))
}

/** Keeps the certificate, shows it, and forgets those that it follows on: in this order. */
async function take(flow: Flow, pem: string): Promise<void> {
  const { context, name, account, control } = flow
  const { orders, certificates, host } = context
  const pair = { certificate: pem, key: writtenDown(flow).key! }
  checkBegun(pem, context.now())
  // Who believes a private authority is no matter of the rack.
  const read = { ...readPair(pair, null, context.now()), authority: account.directory }
  // Under the id of an earlier daemon, where that was killed before it was shown.
  const keptOne = () => certificates.kept().find(({ fingerprint }) => fingerprint === read.fingerprint)
  if (!keptOne()) await certificates.add(read)
  const newest = keptOne()!
  try {
    await host.updateRouter(control)
  } catch (error) {
    // It would keep the router from all that comes after; the authority has it still.
    await certificates.remove(newest.id)
    throw error
  }
  const kept = certificates.kept()
  const shown = certificateFor(name, kept, context.now())
  for (const { id } of followedOn(newest, kept, shown)) await certificates.remove(id)
  await orders.forget(name)
  context.log('info', `a certificate for ${name} is shown`, { certificate: newest.id, until: newest.until })
}

/** The authority has it still when the clock is right: it is not ordered a second time. @throws certificate-failed */
function checkBegun(pem: string, now: Date): void {
  const from = new Date(new X509Certificate(pem).validFrom)
  if (from <= now) return
  const [begins, is] = [from.toISOString(), now.toISOString()]
  const message = `the authority has given one that holds only from ${begins} on, and by the clock of the rack it is ${is}`
  throw new RackError('certificate-failed', message, {
    hint: 'Set the clock of the rack right (date); it takes the certificate up then, by itself.',
  })
}

async function makeKey(): Promise<string> {
  const { privateKey } = await promisify(generateKeyPair)('ec', {
    namedCurve: 'P-256',
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
    publicKeyEncoding: { type: 'spki', format: 'pem' },
  })
  return privateKey
}
