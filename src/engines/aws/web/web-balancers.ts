import { assertOwnStack } from '../../../aws/own-stack.ts'
import { describeStack, isWhole, outputsOf } from '../../../aws/stack-state.ts'
import { ensureStack, removeStack } from '../../../aws/stacks.ts'
import { webStackName, webStackPrefix, type WebBalancer } from '../../../domain/aws-places.ts'
import type { Control } from '../../../domain/control.ts'
import { RackError } from '../../../domain/error.ts'
import { webTemplate } from '../definition/web-template.ts'
import { findRackStacks, type RackStack } from '../look/rack-stacks.ts'
import { awsTags } from '../names.ts'
import { tellDrift } from '../deploy/drift.ts'
import { isBalancerThere } from '../routes/balancer-there.ts'
import { ownStackOptions, stackTurn } from '../own-stacks.ts'
import type { AwsParts } from '../parts.ts'
import { defaultCertificate } from './default-certificate.ts'

/** The rack's own, and those that are there beside it, by their numbers. */
export async function findWebBalancers(
  parts: Pick<AwsParts, 'clients' | 'rack' | 'places' | 'web'>,
  control: Pick<Control, 'signal'>,
): Promise<WebBalancer[]> {
  return [firstOf(parts), ...(parts.web.further ?? (await lookForFurther(parts, control)))]
}

export const firstOf = ({ places }: Pick<AwsParts, 'places'>): WebBalancer => ({
  ...places.balancer,
  number: 1,
})

async function lookForFurther(
  parts: Pick<AwsParts, 'clients' | 'rack' | 'web'>,
  control: Pick<Control, 'signal'>,
): Promise<WebBalancer[]> {
  const stacks = await findRackStacks(parts, webStackPrefix(parts.rack), control)
  const made = stacks.flatMap((stack) => balancerOf(stack) ?? [])
  const found: WebBalancer[] = []
  for (const each of made.toSorted(byNumber))
    if (await isBalancerThere(parts, each, control)) found.push(each)
  // What a daemon before has begun to make is there soon.
  if (!stacks.some(({ isBusy }) => isBusy)) parts.web.further = found
  return found
}

const byNumber = (one: WebBalancer, other: WebBalancer) => one.number - other.number

/** Null where there is none: its stack never came to be. Pure. */
export function balancerOf({ word, outputs }: Pick<RackStack, 'word' | 'outputs'>): WebBalancer | null {
  const { Balancer: arn, BalancerHost: host = '', HttpListener: http = '', HttpsListener } = outputs
  if (!/^\d+$/.test(word) || arn === undefined) return null
  return { number: Number(word), arn, host, listeners: { http, https: HttpsListener ?? null } }
}

/**
 * Makes one, or brings it to what the rack's own is like; a stack that a daemon before has begun is waited for, and one
 * whose balancer somebody has deleted goes first, since CloudFormation would leave it so. Safe to repeat.
 */
export async function makeWebBalancer(
  parts: AwsParts,
  number: number,
  control: Control,
): Promise<WebBalancer> {
  const { rack, places, web } = parts
  if (places.securityGroups.web === undefined) {
    throw new RackError(
      'conflict',
      'what is known here of the rack is of a version that made no further load balancer',
      {
        hint: `rack update --rack ${rack}, then deploy again`,
      },
    )
  }
  const name = webStackName(rack, number)
  using _turn = await stackTurn(parts, name).acquire(control.signal)
  const options = ownStackOptions(parts)
  const there = await describeStack(options, name, control)
  if (there) assertOwnStack(rack, there, 'Install the rack under another name: rack install aws --name NAME')
  const before = isWhole(there) ? balancerOf({ word: String(number), outputs: outputsOf(there) }) : null
  const isLost = before !== null && !(await isBalancerThere(parts, before, control))
  if (isLost) {
    tellDrift(control, `somebody has deleted the load balancer ${number} of the rack: another one is made`)
    await removeStack(options, name, control)
  }
  const certificate = await defaultCertificate(parts, control)
  const template = webTemplate({ rack, number, places, certificate })
  const outputs = await ensureStack(options, { name, template, tags: awsTags({ rack }) }, control)
  const made = balancerOf({ word: String(number), outputs })!
  if (isLost) {
    const text = `the load balancer ${number} is at ${made.host} from now on: change the records of domains that lead to ${before.host}`
    tellDrift(control, text)
  }
  const others = (web.further ?? []).filter((each) => each.number !== number)
  if (web.further) web.further = [...others, made].toSorted(byNumber)
  return made
}
