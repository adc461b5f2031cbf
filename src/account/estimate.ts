import type { Pricing } from '@aws-sdk/client-pricing'
import type { Control } from '../domain/control.ts'
import { RackError } from '../domain/error.ts'
import { mapBounded } from '../lib/semaphore.ts'
import { findPrice, pricePlaces, type Billed, type Price, type PricePlace } from './price-list.ts'

export interface Quantity {
  of: Billed
  count: number
}

export interface EstimateLine extends Quantity {
  text: string
  per: 'hour' | 'month'
  /** Of one of it; null where the price list did not say. */
  price: number | null
  /** Of all of it, for 730 hours. */
  monthly: number | null
}

/** What things cost a month by the list prices of a Region. */
export interface Estimate {
  region: string
  /** Null where no price is known. */
  currency: string | null
  /** When the prices were read: an ISO date. */
  read: string
  /** When they were published, as the newest of the lists says. */
  published: string | null
  lines: EstimateLine[]
  /** Of what is billed by how much of it is used, for one. */
  byUse: { of: Billed; text: string; per: 'hour' | 'month'; price: number | null }[]
  /** Of the lines that have a price; null where none has. */
  monthly: number | null
  /** Why prices are missing; null where none is. */
  missing: string | null
}

export interface EstimateInput {
  region: string
  quantities: readonly Quantity[]
  /** Whose prices are asked, and no quantity is known. */
  byUse: readonly Billed[]
  now: Date
}

/** As AWS's own calculator counts a month. */
const hoursAMonth = 730
const atOnce = 3

/**
 * Prices quantities by what the price list says now. Where it does not answer, or answers what nobody can read, the
 * quantities stand alone: nothing is known from memory.
 */
export async function estimateMonth(
  prices: Pricing,
  { region, quantities, byUse, now }: EstimateInput,
  control: Pick<Control, 'signal'>,
): Promise<Estimate> {
  const wanted = new Set([...quantities.map(({ of }) => of), ...byUse])
  const asked = await readPrices(prices, region, [...wanted], control)
  const lines = quantities.map((quantity) => lineOf(quantity, asked.found.get(quantity.of) ?? null))
  const known = [...asked.found.values()].filter((price) => price !== null)
  const currencies = new Set(known.map(({ currency }) => currency))
  const monthly = lines.flatMap((line) => (line.monthly === null ? [] : [line.monthly]))
  return {
    region,
    currency: known[0]?.currency ?? null,
    read: now.toISOString().slice(0, 10),
    published:
      known
        .flatMap(({ published }) => published ?? [])
        .toSorted()
        .at(-1)
        ?.slice(0, 10) ?? null,
    lines,
    byUse: byUse.map((of) => {
      const { text, per } = pricePlaces[of]
      return { of, text, per, price: asked.found.get(of)?.amount ?? null }
    }),
    monthly: currencies.size === 1 ? monthly.reduce((sum, each) => sum + each, 0) : null,
    missing: asked.why,
  }
}

function lineOf({ of, count }: Quantity, price: Price | null): EstimateLine {
  const { text, per } = pricePlaces[of]
  const each = price?.amount ?? null
  return {
    of,
    count,
    text,
    per,
    price: each,
    monthly: each === null ? null : each * count * (per === 'hour' ? hoursAMonth : 1),
  }
}

interface ReadPrices {
  found: Map<Billed, Price | null>
  why: string | null
}

async function readPrices(
  prices: Pricing,
  region: string,
  wanted: Billed[],
  control: Pick<Control, 'signal'>,
): Promise<ReadPrices> {
  try {
    const found = await mapBounded(wanted, atOnce, async (of): Promise<[Billed, Price | null]> => {
      const place = pricePlaces[of]
      return [of, findPrice(await listProducts(prices, place, region, control), place)]
    })
    const without = found.flatMap(([of, price]) => (price === null ? [pricePlaces[of].text] : []))
    const why = without.length === 0 ? null : `the price list names none for: ${without.join(', ')}`
    return { found: new Map(found), why }
  } catch (error) {
    control.signal.throwIfAborted()
    if (!(error instanceof RackError) && !(error instanceof SyntaxError)) throw error
    return { found: new Map(), why: `the price list could not be read: ${error.message}` }
  }
}

async function listProducts(
  prices: Pricing,
  { service, attributes, isGlobal }: PricePlace,
  region: string,
  { signal }: Pick<Control, 'signal'>,
): Promise<string[]> {
  const wanted = isGlobal ? attributes : { ...attributes, regionCode: region }
  const filters = Object.entries(wanted).map(([Field, Value]) => ({
    Type: 'TERM_MATCH' as const,
    Field,
    Value,
  }))
  const found: string[] = []
  let token: string | undefined
  do {
    const page = await prices.getProducts(
      { ServiceCode: service, Filters: filters, FormatVersion: 'aws_v1', ...(token && { NextToken: token }) },
      { abortSignal: signal },
    )
    // The SDK's own type of a text is one that holds JSON.
    found.push(...(page.PriceList ?? []).map(String))
    token = page.NextToken
  } while (token)
  return found
}
