import type { Challenge } from '../../domain/certificate-order.ts'
import type { Control } from '../../domain/control.ts'
import { codeOf, RackError } from '../../domain/error.ts'
import type { Authorization } from '../../lib/acme/call-acme.ts'
import type { Context, DnsHook, Host } from '../context.ts'
import { writtenDown, type Flow } from './order-flow.ts'

type Asked = Authorization['challenges'][number]
type DnsRecord = Parameters<DnsHook>[1]

const hookHint = 'Name one: rack stop --keep-router; rack start --acme-dns-hook PROGRAM (docs/https.md)'

/** Puts what the authority is to find where it looks for it. Safe to repeat. @throws unsupported */
export async function meetChallenge(flow: Flow, authorization: Authorization): Promise<Asked> {
  const { context, name, client, control } = flow
  const { orders, host } = context
  const asked = chosen(authorization, name, context)
  const answer = await client.getChallengeKeyAuthorization(asked)
  const challenge: Challenge = { kind: asked.type, token: asked.token, answer }
  await orders.change(name, { challenge })
  if (challenge.kind === 'http-01') await host.updateRouter(control)
  else await host.dnsHook!('present', recordOf(name, answer), control)
  return asked
}

/**
 * Takes away what is written down to be found, if something is. Safe to repeat, and after a kill at any point: a record in
 * the DNS is gone before that is written down. One that stays is told in the log: it harms nobody.
 */
export async function withdrawChallenge(flow: Pick<Flow, 'context' | 'name' | 'control'>): Promise<void> {
  const { context, name, control } = flow
  const { orders, host } = context
  const { challenge } = writtenDown(flow)
  if (challenge === null) return
  try {
    if (challenge.kind === 'dns-01') await cleanUp(host, recordOf(name, challenge.answer), control)
    await orders.change(name, { challenge: null })
    if (challenge.kind === 'http-01') await host.updateRouter(control)
  } catch (error) {
    control.signal.throwIfAborted()
    context.log('warn', `what proved ${name} is not taken away`, { code: codeOf(error) })
    await orders.change(name, { challenge: null })
  }
}

async function cleanUp({ dnsHook }: Host, record: DnsRecord, control: Control): Promise<void> {
  if (dnsHook) return await dnsHook('cleanup', record, control)
  throw new RackError('unsupported', `nothing takes ${record.name} out of the DNS`, { hint: hookHint })
}

/** Forgets an order, with what it has put anywhere. */
export async function letGo(flow: Pick<Flow, 'context' | 'name' | 'control'>): Promise<void> {
  await withdrawChallenge(flow)
  await flow.context.orders.forget(flow.name)
}

/** By http where the authority takes it; a wildcard is proven by DNS alone: RFC 8555, 7.4.1. */
function chosen({ challenges }: Authorization, name: string, { host }: Context): Asked {
  const by = (type: string) => challenges.find((each) => each.type === type)
  const http = by('http-01')
  if (http) return http
  const dns = by('dns-01')
  if (dns && host.dnsHook) return dns
  throw new RackError('unsupported', `${name} is to be proven by DNS, and the rack has no program for it`, {
    hint: hookHint,
  })
}

function recordOf(name: string, value: string): DnsRecord {
  return { name: `_acme-challenge.${name.replace(/^\*\./, '')}`, value }
}
