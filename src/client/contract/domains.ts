import * as z from 'zod'
import type { ToldDomain } from '../../domain/domain-name.ts'
import { paths } from '../paths.ts'
import { nothing, op, time } from './op.ts'

const domain = z
  .object({
    name: z.string(),
    app: z.string(),
    process: z.string().nullable().describe("Null is the app's only HTTP process, or web"),
    since: time,
    certificate: z
      .object({
        state: z.enum(['shown', 'waiting', 'failed']),
        record: z
          .object({ name: z.string(), type: z.literal('CNAME'), value: z.string() })
          .nullable()
          .describe('What its owner has to put into the DNS'),
        reason: z.string().nullable().describe('Why it is not shown'),
      })
      .optional()
      .describe('Where the account of the rack has certificates'),
    balancer: z
      .string()
      .optional()
      .describe('In an AWS account: the host of the load balancer to which its DNS has to lead'),
  })
  .meta({ id: 'Domain' }) satisfies z.ZodType<ToldDomain>

const domainParams = z.object({ app: z.string(), domain: z.string() })

/** Names of somebody's own, by which apps are reached; they belong to the app, whatever release is live. */
export const domainOperations = {
  listDomains: op({
    ...paths.listDomains,
    summary: 'Domains of an app or of all.',
    query: z.strictObject({ app: z.string().optional() }),
    reply: z.array(domain),
  }),
  addDomain: op({
    ...paths.addDomain,
    summary: 'Give an app a domain; served at once where the app is.',
    params: domainParams,
    body: z.strictObject({ process: z.string().max(100).nullable() }),
    reply: domain,
  }),
  removeDomain: op({
    ...paths.removeDomain,
    summary: 'Take a domain away from an app.',
    params: domainParams,
    reply: nothing,
  }),
}
