import type { Control } from '../../../domain/control.ts'
import { RackError } from '../../../domain/error.ts'
import type { LinkAddress } from '../../../domain/link.ts'
import { shareProbe } from '../../../domain/share.ts'
import { hostAndPort } from '../../../lib/host-and-port.ts'
import { probeTls } from '../../../lib/tls-probe.ts'
import type { Context } from '../../context.ts'
import { readShareLine, type ShareTicket } from './share-line.ts'
import { refuseUnable } from './refuse-unable.ts'

/** Long enough for another continent. */
const answerDeadlineMs = 3000

/**
 * Where the line of another rack leads, once that was asked whether it still lets this one in. One that does not answer
 * is told of, and may be there later.
 * @throws invalid for a line that was cut; gone for one that has expired or was taken back; untrusted; unsupported
 */
export async function takeShare(
  context: Context,
  line: string,
  { signal }: Control,
): Promise<{ address: LinkAddress; warning: string | null }> {
  refuseUnable(context)
  const ticket = readShareLine(line)
  const { end, expires } = ticket
  if (expires !== null && Date.parse(expires) <= context.now().getTime()) throw expired(ticket)
  const asking = { ...end, name: shareProbe }
  const answer = await probeTls(asking, { deadlineMs: answerDeadlineMs, signal })
  const place = hostAndPort(end.host, end.port)
  if (answer.is === 'expired') throw expired(ticket)
  if (answer.is === 'revoked') throw taken(ticket)
  if (answer.is === 'untrusted') {
    throw new RackError('untrusted', `what answers at ${place} is not the rack that has made the line`, {
      hint: 'See whether the address leads there; the other rack can print a line with another: --address HOST:PORT',
    })
  }
  return {
    address: { ...ticket.address, host: end.host, end },
    warning: answer.is === 'silent' ? `${place} does not answer from here: ${answer.why}` : null,
  }
}

function expired({ service, consumer, expires }: ShareTicket): RackError {
  return new RackError(
    'gone',
    `the share of ${service} for ${consumer} has expired${expires ? ` (${expires})` : ''}`,
    {
      hint: anotherHint(service),
    },
  )
}

function taken({ service, consumer }: ShareTicket): RackError {
  return new RackError(
    'gone',
    `the share of ${service} for ${consumer} was revoked by the rack that gave it`,
    {
      hint: anotherHint(service),
    },
  )
}

function anotherHint(service: string): string {
  return `Ask there for another line: rack services share ${service}`
}
