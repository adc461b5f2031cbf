import { inBackground } from '../../in-background.ts'
import type { Match, Step, ElbState, Listener } from '../state.ts'

export interface RuleView {
  priority: number
  match: Match
  step: Step
}

/** A balancer has a node in each of two zones. */
const nodeCount = 2
/** Until a change of rules has reached a node: a swap reaches one after another (§4.1; the time is J). */
const mostLagMs = 2000

/** What the nodes of a balancer know of a listener's rules: each learns of a change in its own time. */
export class Nodes {
  readonly #state: ElbState
  readonly #listener: Listener
  readonly #views: RuleView[][]

  constructor(state: ElbState, listener: Listener) {
    this.#state = state
    this.#listener = listener
    this.#views = Array.from({ length: nodeCount }, () => this.#now())
  }

  /** The rules that the node knows which the next request comes to. */
  get view(): RuleView[] {
    return this.#views[Math.floor(Math.random() * nodeCount)]!
  }

  refresh(): void {
    for (let node = 0; node < nodeCount; node++) {
      inBackground(this.#state.account, this.#learn(node))
    }
  }

  async #learn(node: number): Promise<void> {
    await this.#state.account.clock.pass(Math.random() * mostLagMs)
    this.#views[node] = this.#now()
  }

  #now(): RuleView[] {
    return [...this.#listener.rules.values()].map(({ priority, match, step }) => ({ priority, match, step }))
  }
}

/** A group by weight; null where all weights are 0. */
export function byWeight(groups: { arn: string; weight: number }[], random = Math.random()): string | null {
  const total = groups.reduce((sum, { weight }) => sum + weight, 0)
  let left = random * total
  const chosen = groups.find(({ weight }) => (left -= weight) < 0)
  return chosen?.arn ?? null
}
