import type {
  AcmeAccount,
  CertificateOrder,
  ChallengeSource,
  KeptOrder,
} from '../../domain/certificate-order.ts'
import { RackError } from '../../domain/error.ts'
import type { AcmeStore } from '../../domain/stores/rack-stores.ts'
import { mostWaitMs } from '../../lib/acme/acme-problem.ts'
import { openKnownList, type KnownList } from '../../lib/known-list.ts'

/** What a rack is having of an authority; what holds now is at hand without asking the store. */
export interface OrderKeeper extends ChallengeSource {
  /** Of the authority that is asked; null where none is. */
  account(): AcmeAccount | null
  orders(): readonly CertificateOrder[]
  order(name: string): KeptOrder | null
  /** Ends once the order is to be forgotten, or its authority is asked no more: whoever works at it leaves off. */
  wanted(name: string): AbortSignal
  /** Ends what works at an order, which stays written down until it is forgotten. */
  end(name: string): void
  /** Until when the authority wants to be left alone by all orders; null where it does not, or not any more. */
  quietUntil(now: Date): Date | null
  beQuiet(until: Date): void
  /** Durable when it settles. Ends what works at orders of another authority. */
  ask(account: AcmeAccount): Promise<void>
  /** Asks none, and forgets what was being had; but those that may have a record in the DNS yet. */
  askNone(): Promise<void>
  /** Writes down an order that is begun. @throws cancelled where its authority is not asked (any more) */
  begin(order: KeptOrder): Promise<void>
  /** Writes down what has become of it. @throws cancelled where it is kept no more */
  change(name: string, facts: Partial<Omit<KeptOrder, 'name'>>): Promise<void>
  forget(name: string): Promise<void>
}

export async function openOrders(acme: AcmeStore): Promise<OrderKeeper> {
  let account = await acme.asked()
  let quietUntil: Date | null = null
  const kept = await openKnownList(() => acme.orders())
  const works = openWorks()
  return {
    account: () => account,
    orders: kept.current,
    order: (name) => kept.current().find((each) => each.name === name) ?? null,
    open: () => kept.current().flatMap(({ challenge }) => (challenge?.kind === 'http-01' ? [challenge] : [])),
    wanted: works.signal,
    end: works.end,
    quietUntil: (now) => {
      const leftMs = quietUntil === null ? 0 : quietUntil.getTime() - now.getTime()
      // What is longer was said when the clock was ahead.
      return leftMs > 0 && leftMs <= mostWaitMs ? quietUntil : null
    },
    beQuiet: (until) => void (quietUntil = until),
    async ask(next) {
      await acme.ask(next)
      const isOther = account?.directory !== next.directory
      account = await acme.asked()
      if (!isOther) return
      quietUntil = null
      works.endAll()
    },
    async askNone() {
      await acme.askNone()
      account = null
      works.endAll()
      await kept.change(async () => {
        const gone = (await acme.orders()).filter(({ challenge }) => challenge?.kind !== 'dns-01')
        for (const { name } of gone) await acme.removeOrder(name)
      })
    },
    ...writes(acme, kept, () => account),
    async forget(name) {
      works.end(name)
      await kept.change(() => acme.removeOrder(name))
    },
  }
}

/** What becomes of orders; one that is gone meanwhile does not come back by it. */
function writes(
  acme: AcmeStore,
  kept: KnownList<KeptOrder>,
  account: () => AcmeAccount | null,
): Pick<OrderKeeper, 'begin' | 'change'> {
  return {
    async begin(begun) {
      await kept.change(async () => {
        if (account()?.directory !== begun.directory) throw unwanted(begun.name)
        await acme.keepOrder(begun)
      })
    },
    async change(name, facts) {
      await kept.change(async () => {
        const now = kept.current().find((each) => each.name === name)
        if (!now) throw unwanted(name)
        await acme.keepOrder({ ...now, ...facts })
      })
    },
  }
}

/** A signal for what works at each order. */
function openWorks() {
  const works = new Map<string, AbortController>()
  const end = (name: string) => {
    works.get(name)?.abort(unwanted(name))
    works.delete(name)
  }
  return {
    signal(this: void, name: string) {
      const work = works.get(name) ?? new AbortController()
      works.set(name, work)
      return work.signal
    },
    end,
    endAll: () => [...works.keys()].forEach(end),
  }
}

/** Why an order is not gone on with. */
export function unwanted(name: string): RackError {
  return new RackError('cancelled', `a certificate for ${name} is asked for no more`, {
    hint: 'See what is asked for: rack certs acme',
  })
}
