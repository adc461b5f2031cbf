import { readApiAccess } from '../../account/api-access.ts'
import { checkRegion, readCaller } from '../../account/caller.ts'
import { readDaemonState, startDaemonService, stopDaemonService } from '../../account/daemon-service.ts'
import { openAccount } from '../../account/open-account.ts'
import { RackError } from '../../domain/error.ts'
import { accountUrl } from '../account-way.ts'
import type { InsideRack } from '../inside-rack.ts'
import type { Session } from '../session.ts'
import { untilAnswers } from './account-access.ts'
import { insideStatus } from './inside-status.ts'
import { tellLastWords } from './last-words.ts'
import { inAccountOf } from './inside.ts'

/** A task of Fargate comes within a minute; its daemon takes the lead, and the balancer looks at it a few times. */
const startDeadlineMs = 600_000

/** Starts the daemon of a rack inside its account, and waits until its API answers. Safe to repeat. */
export async function startInside(session: Session, known: InsideRack): Promise<void> {
  const { name } = known
  const { output, isJson } = session
  const ran = await inAccountOf(session, known, left(name, 'starts'), async (inside) => {
    const { account, access, control } = inside
    const before = await readDaemonState(account.clients.ecs, access, control)
    await startDaemonService(account.clients.ecs, access, control)
    const client = await session.connect()
    try {
      await untilAnswers(client, { rack: name, deadlineMs: startDeadlineMs, signal: control.signal })
    } catch (error) {
      if (!control.signal.aborted) await tellLastWords(session, account, access.rack)
      throw error
    }
    return before?.desired === 1 && before.running === 1
  })
  if (isJson) output.json(await insideStatus(session, known))
  else output.say(`${name} ${ran ? 'runs already' : 'is started'}, in the account ${known.account.id}`)
}

/**
 * Has ECS start the daemon of a rack that is not known here; nothing is waited for, since no token of it is here.
 * @throws usage; not-found; conflict where its daemon runs elsewhere
 */
export async function startFromElsewhere({ options, world, output, isJson }: Session): Promise<void> {
  const region = checkRegion(options.text('region'))
  const rack = options.text('rack')
  if (rack === undefined) {
    throw new RackError('usage', 'which rack of the Region is meant has to be said', {
      hint: `rack start --region ${region} --rack NAME`,
    })
  }
  const account = openAccount(region, world.env)
  using closing = new DisposableStack()
  closing.defer(() => account.close())
  const interrupt = new AbortController()
  closing.defer(world.onLeave(() => interrupt.abort(left(rack, 'starts'))))
  const caller = await readCaller(account.clients.identity, region, interrupt)
  output.say(`account ${caller.account} as ${caller.name}, in ${region}`)
  const access = await readApiAccess(account, rack, interrupt)
  await startDaemonService(account.clients.ecs, access, interrupt)
  const url = accountUrl({ region, rack })
  if (isJson) return output.json({ name: rack, url })
  output.say(`${rack} starts, in the account ${caller.account}; within minutes: rack login ${url}`)
}

/** Ends it, and waits until it has ended. The apps run on, and are reached. Safe to repeat. */
export async function stopInside(session: Session, known: InsideRack): Promise<void> {
  const { name } = known
  const { output, isJson } = session
  const wasStopped = await inAccountOf(session, known, left(name, 'stops'), async (inside) => {
    const { account, access, control } = inside
    const { ecs } = account.clients
    const before = await readDaemonState(ecs, access, control)
    await stopDaemonService(ecs, access, { signal: control.signal, intervalMs: account.intervalMs })
    return before?.desired === 0
  })
  if (isJson) return output.json(await insideStatus(session, known))
  output.say(
    wasStopped ? `${name} was stopped already` : `${name} is stopped; its apps run on, and are reached`,
  )
}

function left(name: string, does: string): RackError {
  return new RackError('cancelled', `nobody waits for ${name} any more; it ${does} by itself`, {
    hint: `See how it is: rack status --rack ${name}`,
  })
}
