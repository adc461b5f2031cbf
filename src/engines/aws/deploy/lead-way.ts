import type { Control } from '../../../domain/control.ts'
import type { Plan } from '../../../domain/plan.ts'
import type { Way } from '../../../domain/ways.ts'
import { showIssued } from '../certificates/bring-certificates.ts'
import { namesToProve } from '../certificates/bring-names.ts'
import type { AwsParts } from '../parts.ts'
import { untilKnown } from '../until-known.ts'
import { leadPort, listenerProtocol, type FoundListener } from '../routes/listeners.ts'

/** Leads a way in at a port of its own to a group; one of TLS shows at once what is issued for its names. */
export async function leadWay(
  parts: AwsParts,
  {
    plan,
    way,
    group,
    listeners,
  }: {
    plan: Plan
    way: Way
    /** ARN. */
    group: string
    listeners: readonly FoundListener[]
  },
  control: Pick<Control, 'signal'>,
): Promise<void> {
  const { external } = way
  if (external === null) return
  const protocol = listenerProtocol(way)
  const made = await leadPort(parts, listeners, { port: external, protocol, group }, control)
  if (made === null || protocol !== 'TLS') return
  const names = namesToProve(parts, [plan]).tls.get(external) ?? []
  const show = async () => await showIssued(parts, { listener: made, names }, control)
  await untilKnown(parts, show, control.signal)
}
