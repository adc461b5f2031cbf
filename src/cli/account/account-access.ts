import type { ApiAccess } from '../../account/api-access.ts'
import { readDaemonState } from '../../account/daemon-service.ts'
import { leaveToken, removeLeftToken } from '../../account/left-tokens.ts'
import type { OpenAccount } from '../../account/open-account.ts'
import type { Client, Reply } from '../../client/client-types.ts'
import type { Control } from '../../domain/control.ts'
import { RackError } from '../../domain/error.ts'
import { tokenPrefix } from '../../domain/token.ts'
import { DeadlineError } from '../../lib/deadline.ts'
import { freshSecret } from '../../lib/fresh-secret.ts'
import { until } from '../../lib/poll.ts'
import { accountUrl } from '../account-way.ts'
import { connectRack } from '../connect-rack.ts'
import { changeRacks, withRack, type KnownRack } from '../racks-file.ts'
import type { World } from '../world.ts'

/** What the command line keeps of a rack whose daemon runs in its account. */
export function knownInAccount(
  access: ApiAccess,
  { name, token }: { name: string; token: string },
): KnownRack {
  const { id, region, rack, apiHost, balancer, fingerprint, certificate } = access
  return {
    name,
    url: accountUrl({ region, rack }),
    token,
    pin: { fingerprint, certificate },
    account: { id, region, rack, apiHost, balancer },
  }
}

/** Puts it on the list of those that are known here, as the current one. */
export async function keepAccountRack(world: Pick<World, 'env'>, known: KnownRack): Promise<void> {
  await changeRacks(world.env, (racks) => withRack(racks, known))
}

/** A daemon that runs looks for new tokens every few seconds. */
const takenDeadlineMs = 90_000
/** One that starts comes within minutes: as `rack start` waits for it. */
const startDeadlineMs = 600_000

/**
 * Makes a token by writing into the rack's bucket, and waits until the daemon takes it. One that is not taken in time is
 * taken back; whoever had no answer is told that the daemon may have it nonetheless.
 * @throws conflict where the daemon is stopped or gone; timeout with what the API says instead; untrusted
 */
export async function makeAccountToken(
  { clients }: Pick<OpenAccount, 'clients'>,
  access: ApiAccess,
  world: World,
  control: Pick<Control, 'signal'>,
): Promise<string> {
  const { text: token, sha256 } = freshSecret(tokenPrefix)
  const name = `login-${Date.now()}`
  const { bucket, rack } = access
  const deadlineMs = await takenWithin(clients, access, control)
  await using undo = new AsyncDisposableStack()
  undo.defer(async () => {
    const signal = AbortSignal.timeout(takenDeadlineMs)
    await removeLeftToken({ clients, bucket }, { name }, { signal })
  })
  await leaveToken({ clients, bucket }, { name, sha256 }, control)
  const client = await connectRack(knownInAccount(access, { name: rack, token }), world)
  try {
    await untilAnswers(client, { rack, deadlineMs, signal: control.signal })
  } catch (error) {
    throw mayStand(error, name)
  }
  undo.move()
  return token
}

/** How long a new token may wait. @throws conflict where there is no daemon that could take it */
async function takenWithin(
  { ecs }: OpenAccount['clients'],
  access: ApiAccess,
  control: Pick<Control, 'signal'>,
): Promise<number> {
  const { rack, region, service } = access
  const state = await readDaemonState(ecs, access, control)
  if (state && state.desired > 0) return state.running > 0 ? takenDeadlineMs : startDeadlineMs
  if (state) {
    throw new RackError('conflict', `${rack} is stopped: its daemon takes no new token`, {
      hint: `Start it, then the same again: rack start --region ${region} --rack ${rack}`,
    })
  }
  throw new RackError('conflict', `the daemon of ${rack} is gone: there is no ECS service ${service}`, {
    hint: `It is made anew, where the rack is known or with a token of it: rack update --rack ${rack}`,
  })
}

/** The daemon may have taken the hash though its answer has not come: by a rule of the balancer, or by an interrupt. */
function mayStand(error: unknown, name: string): unknown {
  if (!(error instanceof RackError)) return error
  const { code, message, hint, details } = error
  const revoke = `The new token may stand there as ${name}; whoever reaches the rack takes it away: rack tokens revoke ${name}`
  return new RackError(code, message, {
    hint: hint === undefined ? revoke : `${hint}. ${revoke}`,
    ...(details !== undefined && { details }),
    cause: error,
  })
}

interface Answering extends Pick<Control, 'signal'> {
  rack: string
  deadlineMs: number
  /** Whether its certificate was renewed just now: the one before may still be shown. */
  isRenewed?: boolean
}

/**
 * Waits until the API of a rack answers to whom it knows.
 * @throws timeout with what it has said last; untrusted for whoever is not the rack
 */
export async function untilAnswers(
  client: Pick<Client, 'getRack'>,
  { rack, deadlineMs, signal, isRenewed = false }: Answering,
): Promise<Reply<'getRack'>> {
  const waitedFor = new Set(['unauthorized', 'unreachable', 'timeout', ...(isRenewed ? ['untrusted'] : [])])
  let last: RackError | null = null
  const ask = async () => {
    try {
      return await client.getRack({}, { signal })
    } catch (error) {
      if (!(error instanceof RackError) || !waitedFor.has(error.code)) throw error
      last = error
      return null
    }
  }
  try {
    return await until(ask, { deadlineMs, intervalMs: 1000, what: `the API of ${rack}`, signal })
  } catch (error) {
    if (!(error instanceof DeadlineError) || signal.aborted) throw error
    throw notAnswering(rack, last, error)
  }
}

function notAnswering(rack: string, last: RackError | null, cause: unknown): RackError {
  const why = last === null ? '' : `: ${last.message}`
  const isNoRule = (last?.details as { status?: number } | undefined)?.status === 404
  return new RackError('timeout', `the API of ${rack} does not answer${why}`, {
    hint: isNoRule
      ? 'Its balancer leads nobody there from this address: whom --api-allow of the install names, see the rule of its stack'
      : `See how its daemon is: rack doctor; its log: aws logs tail /rack/${rack}/_daemon`,
    cause,
  })
}
