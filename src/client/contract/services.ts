import * as z from 'zod'
import type { AppLink, PublicAddress, Service } from '../../domain/service.ts'
import type { LinkCheck, ProcessLinkInfo } from '../../domain/link-check.ts'
import type { Share } from '../../domain/share.ts'
import { paths } from '../paths.ts'
import { logLine, logQuery } from './logs.ts'
import { appParams, flag, nothing, op, time } from './op.ts'
import { linkOptions, release } from './releases.ts'

const address = z
  .object({ scheme: z.string(), host: z.string(), port: z.number(), path: z.string() })
  .describe('Where it is; never who logs in there') satisfies z.ZodType<PublicAddress>

const appLink = z.object({
  app: z.string(),
  alias: z.string().describe('The name for the service inside the app'),
  service: z.string(),
  version: z.string().describe("Of the service's address and credential"),
  ...linkOptions.shape,
  isLive: z.boolean().describe('Whether the live release has it'),
  isNewest: z.boolean().describe('Whether the newest release has it'),
}) satisfies z.ZodType<AppLink>

const statuses = ['creating', 'returning', 'running', 'retiring', 'deleting', 'kept'] as const

const run = z.object({
  image: z.string(),
  says: z.string().nullable().describe('What the server says that it is'),
  cpuUnits: z.number(),
  memoryBytes: z.number(),
  restarts: z.number(),
  kept: z.string().nullable().describe('What it was before an upgrade, whose data is kept; null is nothing'),
  volumes: z.number(),
  managed: z.boolean().describe('Whether the account of the rack runs it; what runs here is its client'),
  leavesSnapshot: z.boolean().describe('Whether the account keeps a last snapshot when it is deleted'),
})

const service = z.object({
  name: z.string(),
  type: z.string().describe('`url`: somebody else runs it; `shared`: another rack does'),
  status: z.enum(statuses),
  created: time,
  version: z.string(),
}) satisfies z.ZodType<Service>

export const backupFailure = z.object({ time, reason: z.string() })

export const serviceInfo = z
  .object({
    ...service.shape,
    status: z.enum([...statuses, 'degraded']).describe('`degraded`: it shall run, and does not'),
    detail: z.string().nullable(),
    run: run.nullable().describe('Null where somebody else runs it'),
    address,
    since: time,
    links: z.array(appLink),
    backedUp: time.nullable().describe('Null where it never was, and in a list'),
    backupFailed: backupFailure.nullable().describe('Why the last that was due by itself is not there'),
    inside: z
      .object({
        bytes: z.number().nullable().describe('Of its data, on the disk'),
        connections: z.number().nullable().describe('Clients that are connected'),
        data: z
          .array(z.object({ name: z.string(), links: z.array(z.string()) }))
          .nullable()
          .describe('Its databases, those too that links have left'),
      })
      .nullable()
      .describe('What it tells of itself now; null in a list, and where it does not run here'),
  })
  .meta({ id: 'Service' })

const changedService = z
  .object({
    service: serviceInfo,
    releases: z.array(release).describe('Of the apps that link it: to be promoted'),
    warning: z.string().nullable(),
  })
  .meta({ id: 'ChangedService' })

const linkInfo = z
  .object({ ...appLink.shape, type: z.string().nullable(), address: address.nullable() })
  .meta({ id: 'Link' })

const processLink = z
  .object({
    app: z.string(),
    process: z.string().describe('The type that has the link'),
    alias: z.string().describe('The name for the other inside it'),
    target: z.string(),
    scheme: z.string(),
    port: z.number(),
  })
  .meta({ id: 'ProcessLink' }) satisfies z.ZodType<ProcessLinkInfo>

const linkCheck = z
  .object({
    app: z.string(),
    alias: z.string(),
    kind: z.enum(['service', 'process']),
    target: z.string().describe('What it leads to'),
    host: z.string(),
    port: z.number(),
    process: z.string().nullable().describe('The type that it was opened for'),
    from: z.string().nullable().describe('The copy that has opened it; null where the rack has'),
    connectMs: z.number().nullable(),
    loginMs: z
      .number()
      .nullable()
      .describe('Null where the server knows no login of the link, or refuses it'),
    problem: z.string().nullable(),
  })
  .meta({ id: 'LinkCheck' }) satisfies z.ZodType<LinkCheck>

const changedLink = z
  .object({
    alias: z.string().describe('The name inside the app'),
    release,
    isNew: z.boolean().describe('False where all was so already'),
    notes: z.array(z.string()).describe('What whoever asked should know'),
  })
  .meta({ id: 'ChangedLink' })

const url = z.string().max(10_000).describe('scheme://user:password@host:port/path')
const sharePlace = z.object({
  id: z.string(),
  service: z.string(),
  consumer: z.string().describe('The other rack, as people call it'),
  allow: z
    .array(z.string())
    .describe('Addresses and networks from which it may come in; everywhere when empty'),
  address: z.string().describe('At which it was told to find this rack'),
  created: time,
  expires: time.nullable(),
})

const shareInfo = z
  .object({ ...sharePlace.shape, status: z.enum(['opening', 'open', 'closing', 'expired']) })
  .meta({ id: 'Share' }) satisfies z.ZodType<Pick<Share, 'id' | 'service' | 'consumer'>>

const madeShare = z
  .object({
    share: sharePlace,
    line: z.string().describe('By which the other rack has the service; a secret that is told this once'),
    warning: z.string().nullable(),
  })
  .meta({ id: 'MadeShare' })

const shareLine = z.string().max(100_000).describe('That another rack has printed; a secret')
export const serviceParams = z.object({ service: z.string() })

/** Services, which apps share, and the links that give them to an app. */
export const serviceOperations = {
  listServices: op({
    ...paths.listServices,
    summary: 'Services, each with the apps that link it; never a password.',
    reply: z.array(serviceInfo),
  }),
  createService: op({
    ...paths.createService,
    summary: 'Add a service: by its URL one that somebody else runs, or one that runs here from an image.',
    body: z.strictObject({
      name: z.string(),
      type: z.string(),
      url: url.optional(),
      share: shareLine.optional(),
      version: z.string().optional(),
      image: z.string().optional(),
      port: z.number().int().min(1).max(65_535).optional(),
      cpuUnits: z.number().int().min(2).optional(),
      memoryBytes: z
        .number()
        .int()
        .min(16 * 2 ** 20)
        .optional(),
      managed: z.boolean().optional().describe("Has the rack's account run it; refused where it runs none"),
    }),
    reply: changedService,
  }),
  getService: op({
    ...paths.getService,
    summary: 'One service; never its password.',
    params: serviceParams,
    reply: serviceInfo,
  }),
  revealService: op({
    ...paths.revealService,
    summary: 'The URL of a service with its password. Whoever may read it may also change it.',
    params: serviceParams,
    reply: z.object({ url: z.string() }),
  }),
  setServiceUrl: op({
    ...paths.setServiceUrl,
    summary: 'Change the URL of a service: makes a release of every app that links it.',
    params: serviceParams,
    body: z.strictObject({ url: url.optional(), share: shareLine.optional() }),
    reply: changedService,
  }),
  shareService: op({
    ...paths.shareService,
    summary: 'Give a service that runs here to one other rack, which gets a line by which it has it.',
    params: serviceParams,
    body: z.strictObject({
      consumer: z.string().optional(),
      allow: z.array(z.string()).max(1000).optional(),
      address: z.string().max(300).optional(),
      expires: z.string().optional().describe('A duration, such as `30d`; for good when absent'),
    }),
    reply: madeShare,
  }),
  unshareService: op({
    ...paths.unshareService,
    summary: 'Take a service back from another rack: its connections end.',
    params: serviceParams,
    query: z.strictObject({ consumer: z.string().optional() }),
    reply: nothing,
  }),
  listShares: op({
    ...paths.listShares,
    summary: 'Services that other racks have.',
    reply: z.array(shareInfo),
  }),
  restartService: op({
    ...paths.restartService,
    summary: 'Stop a service and start it again; of one that RDS runs, its server.',
    params: serviceParams,
    reply: serviceInfo,
  }),
  serviceLogs: op({
    ...paths.serviceLogs,
    summary: 'Log lines of a service that runs here, under its name as `app`.',
    params: serviceParams,
    query: logQuery,
    reply: logLine,
  }),
  deleteService: op({
    ...paths.deleteService,
    summary:
      'Delete a service; refused while an app links it. Its data stays unless it is said; of one that the account runs, a last snapshot.',
    params: serviceParams,
    query: z.strictObject({ volumes: flag.default(false) }),
    reply: z.object({
      snapshot: z
        .string()
        .nullable()
        .describe('What the account keeps of one that it has run, by its name there'),
    }),
  }),
  dropServiceData: op({
    ...paths.dropServiceData,
    summary: 'End a database of a service for good; refused while a link has it.',
    params: z.object({ service: z.string(), data: z.string() }),
    reply: nothing,
  }),
  listLinks: op({
    ...paths.listLinks,
    summary: 'Which apps have which services, and by what name.',
    query: z.strictObject({ app: z.string().optional() }),
    reply: z.array(linkInfo),
  }),
  listProcessLinks: op({
    ...paths.listProcessLinks,
    summary: 'Links between processes, by the live releases.',
    query: z.strictObject({ app: z.string().optional() }),
    reply: z.array(processLink),
  }),
  checkLinks: op({
    ...paths.checkLinks,
    summary: 'Open each link from inside its app, and log in where the type can.',
    body: z.strictObject({ app: z.string().optional() }),
    reply: z.array(linkCheck),
  }),
  createLink: op({
    ...paths.createLink,
    summary: 'Give an app a service: makes a release.',
    params: appParams,
    body: z.strictObject({ service: z.string(), alias: z.string().optional(), ...linkOptions.shape }),
    reply: changedLink,
  }),
  rotateLink: op({
    ...paths.rotateLink,
    summary:
      'Give a link another login: makes a release. The old one is revoked when nothing has it any more.',
    params: z.object({ app: z.string(), link: z.string() }),
    reply: changedLink,
  }),
  revokeLogins: op({
    ...paths.revokeLogins,
    summary:
      'End logins of a link that no release has which is, or may be, live; who still drains loses them.',
    params: z.object({ app: z.string(), link: z.string() }),
    reply: z.object({ revoked: z.number() }),
  }),
  deleteLink: op({
    ...paths.deleteLink,
    summary: 'Take a service from an app, by the name of the link or of the service: makes a release.',
    params: z.object({ app: z.string(), link: z.string() }),
    reply: changedLink,
  }),
}
