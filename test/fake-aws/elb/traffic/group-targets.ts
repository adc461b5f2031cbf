import { Agent as HttpAgent } from 'node:http'
import { Agent as HttpsAgent } from 'node:https'
import type { FakeAccount } from '../../fake-service.ts'
import { inBackground } from '../../in-background.ts'
import type { Target } from '../../links.ts'
import { probe, type ProbeResult } from './probe.ts'
import { isOfNetwork, type Group } from '../state.ts'

/** One target, from its registration to the end of its draining. */
export interface Member {
  target: Target
  state: 'initial' | 'healthy' | 'unhealthy' | 'draining'
  /** Of what was seen last, while it is not healthy. */
  last: ProbeResult | null
  /** Checks of one kind in a row. */
  isLastGood: boolean
  inARow: number
  /** What is under way to it; each can be cut. */
  underWay: Set<() => void>
  /** Hears when nothing is under way any more. */
  onIdle: (() => void) | null
  agent: HttpAgent
  leaving: AbortController
}

export interface TargetsWorld {
  account: FakeAccount
  group: () => Group
  /** Whether a rule of a balancer leads to the group: others are not checked (D). */
  isUsed: () => boolean
}

export const keyOf = ({ address, port }: Target) => `${address}:${port}`

/** The targets of one group: checked, chosen from and drained as a balancer does. */
export class GroupTargets {
  readonly #world: TargetsWorld
  readonly #members = new Set<Member>()
  #turn = 0

  constructor(world: TargetsWorld) {
    this.#world = world
  }

  get members(): Iterable<Member> {
    return this.#members
  }

  /** A repeat changes nothing; a draining target that comes again starts afresh. */
  register(target: Target): void {
    if (this.#registered(target)) return
    const options = { keepAlive: true, maxSockets: Infinity }
    const member: Member = {
      target,
      state: 'initial',
      last: null,
      isLastGood: true,
      inARow: 0,
      underWay: new Set(),
      onIdle: null,
      agent:
        this.#world.group().protocol === 'HTTPS'
          ? new HttpsAgent({ ...options, rejectUnauthorized: false })
          : new HttpAgent(options),
      leaving: new AbortController(),
    }
    this.#members.add(member)
    inBackground(this.#world.account, this.#check(member))
  }

  /** From here on nothing new reaches it. Settles when nothing is under way, or its delay is over (D). */
  async deregister(target: Target): Promise<void> {
    const member = this.#registered(target)
    if (!member) return
    member.state = 'draining'
    member.leaving.abort(new Error('the target has left'))
    const { promise: idle, resolve } = Promise.withResolvers<void>()
    member.onIdle = resolve
    if (member.underWay.size === 0) resolve()
    try {
      // What is under way lives in the time of this machine.
      const { clock } = this.#world.account
      await Promise.race([idle, clock.pass(this.#delayMs() * clock.factor)])
    } finally {
      this.#drop(member)
    }
  }

  health(target: Target): Member['state'] | 'unused' {
    const member = this.#registered(target) ?? this.#memberOf(target)
    if (!member || !this.#world.isUsed()) return 'unused'
    return member.state
  }

  /**
   * Whom the next request or connection goes to. Where none is healthy and some are unhealthy, those get it: a
   * balancer fails open (D). Whoever was never checked gets nothing (J).
   */
  choose(isWanted: (member: Member) => boolean = () => false): Member | null {
    const all = [...this.#members].filter(({ state }) => state !== 'draining')
    const healthy = all.filter(({ state }) => state === 'healthy')
    const able = healthy.length > 0 ? healthy : all.filter(({ state }) => state === 'unhealthy')
    const wanted = able.find(isWanted)
    if (wanted || able.length === 0) return wanted ?? null
    const algorithm = this.#world.group().attributes.get('load_balancing.algorithm.type')
    if (algorithm === 'least_outstanding_requests') {
      return able.reduce((least, member) => (member.underWay.size < least.underWay.size ? member : least))
    }
    return able[this.#turn++ % able.length]!
  }

  /** The group is gone: nobody is checked any more, and what is under way ends by itself (J). */
  retire(): void {
    for (const member of this.#members) {
      member.leaving.abort(new Error('the group is gone'))
      const wake = member.onIdle
      member.onIdle = () => {
        member.agent.destroy()
        wake?.()
      }
      if (member.underWay.size === 0) member.onIdle()
    }
  }

  close(): void {
    for (const member of this.#members) {
      member.leaving.abort(new Error('the account is closed'))
      for (const cut of member.underWay) cut()
      this.#drop(member)
    }
  }

  #registered(target: Target): Member | undefined {
    return [...this.#members].find(
      (member) => keyOf(member.target) === keyOf(target) && member.state !== 'draining',
    )
  }

  #memberOf(target: Target): Member | undefined {
    return [...this.#members].find((member) => keyOf(member.target) === keyOf(target))
  }

  #drop(member: Member): void {
    const group = this.#world.group()
    const { attributes } = group
    // A network balancer leaves connections to themselves unless it is told to end them; the other one ends them (D).
    const ends =
      !isOfNetwork(group) || attributes.get('deregistration_delay.connection_termination.enabled') === 'true'
    if (ends) for (const cut of member.underWay) cut()
    member.agent.destroy()
    this.#members.delete(member)
  }

  #delayMs(): number {
    return Number(this.#world.group().attributes.get('deregistration_delay.timeout_seconds')) * 1000
  }

  async #check(member: Member): Promise<void> {
    const { account, group, isUsed } = this.#world
    const { signal } = member.leaving
    try {
      // A registration takes a moment; a new target of a network balancer one to three minutes (J).
      await account.clock.pass(
        isOfNetwork(group()) ? 60_000 + Math.random() * 120_000 : 1000 + Math.random() * 2000,
      )
      while (!signal.aborted) {
        if (isUsed()) {
          const result = await probe(member.target, group().health, { factor: account.clock.factor, signal })
          learn(member, result, group())
        }
        await account.clock.pass(group().health.intervalSeconds * 1000)
      }
    } catch (error) {
      if (!signal.aborted) throw error
    }
  }
}

/** What a check makes of a target: the first good one of a new target suffices (D), else the thresholds count. */
export function learn(
  member: Pick<Member, 'state' | 'last' | 'isLastGood' | 'inARow'>,
  result: ProbeResult,
  { health }: Pick<Group, 'health'>,
): void {
  member.inARow = result.isGood === member.isLastGood ? member.inARow + 1 : 1
  member.isLastGood = result.isGood
  member.last = result.isGood ? member.last : result
  if (member.state === 'draining') return
  if (result.isGood) {
    if (member.state === 'initial' || member.inARow >= health.healthyThreshold) member.state = 'healthy'
  } else if (member.inARow >= health.unhealthyThreshold) member.state = 'unhealthy'
}

/** Counts something as under way to a target until the given function is called. */
export function use(member: Member, cut: () => void): () => void {
  member.underWay.add(cut)
  return () => {
    member.underWay.delete(cut)
    if (member.underWay.size === 0) member.onIdle?.()
  }
}
