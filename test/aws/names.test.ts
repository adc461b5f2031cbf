import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { request, type IncomingMessage } from 'node:http'
import { request as requestSecurely } from 'node:https'
import { text } from 'node:stream/consumers'
import { after, before, test } from 'node:test'
import type { ListResourceRecordSetsCommandOutput } from '@aws-sdk/client-route-53'
import type { Domain } from '../../src/domain/domain-name.ts'
import { noReleaseCommands } from '../../src/domain/engine.ts'
import { appOwner } from '../../src/domain/owner.ts'
import type { Plan, ProcessPlan } from '../../src/domain/plan.ts'
import { plainRouting } from '../../src/domain/routing.ts'
import { tlsPolicy } from '../../src/aws/tls-policy.ts'
import { publicZones, zoneOf } from '../../src/engines/aws/certificates/public-records.ts'
import { recordSetsBelow } from '../../src/engines/aws/inside/records.ts'
import { until } from '../../src/lib/poll.ts'
import { openAwsRack } from '../support/aws-rack.ts'
import { serveText, shellCommand } from '../support/behaviour.ts'
import { controlFor } from '../support/docker-rack.ts'
import { planOf, processPlan, servesHttp } from '../support/plans.ts'

let rack: Awaited<ReturnType<typeof openAwsRack>>
let image: string
let domains: Domain[] = []

before(async () => {
  rack = await openAwsRack({
    fake: { domain: 'rack.test', publicZones: ['example.test'] },
    more: { domains: { current: () => domains } },
  })
  image = await rack.image('busybox:1')
})
after(async () => await rack.close())

const small = { cpuUnits: 64, memoryBytes: 32 * 2 ** 20 }

function webType(word: string, hosts: string[], more: Partial<ProcessPlan> = {}): ProcessPlan {
  const command = shellCommand([serveText(8080, word)])
  return processPlan({ ...small, image, command, ...servesHttp(8080, hosts), ...more })
}

const planFor = (app: string, processes: ProcessPlan[], release = 'ROOOOOOOOOO') =>
  planOf(processes, { rack: rack.rack, owner: appOwner(app), release })

const deploy = async (plan: Plan, live: Plan | null) =>
  await rack.engine.deploy(
    { plan, live, leaving: [], releaseCommands: noReleaseCommands },
    controlFor(60_000),
  )

const domain = (name: string, app: string, process: string | null = null): Domain => ({
  name,
  app,
  process,
  since: '2026-01-01T00:00:00Z',
})

/** What a visitor gets who believes the account's authority alone; the code of the failure where there is none. */
async function visit(
  scheme: 'http' | 'https',
  host: string,
  balancer: 'web' | { host: string } = 'web',
): Promise<string> {
  const port = rack.account.loopbackPort(balancer, scheme === 'http' ? 80 : 443)
  const options = {
    host: '127.0.0.1',
    port,
    headers: { host },
    agent: false,
    signal: AbortSignal.timeout(10_000),
  }
  const ca = rack.account.certificates.authority
  const asking = scheme === 'http' ? request(options) : requestSecurely({ ...options, servername: host, ca })
  try {
    const [response] = (await once(asking.end(), 'response')) as [IncomingMessage]
    const { statusCode, headers } = response
    const said = (await text(response)).trim()
    return headers.location ?? (statusCode === 200 ? said : String(statusCode))
  } catch (error) {
    return (error as NodeJS.ErrnoException).code ?? String(error)
  }
}

const bring = async (...plans: Plan[]) => {
  const { states, failure } = await rack.engine.bringNames(plans, controlFor(30_000))
  assert.equal(failure, null)
  return states
}

/** As a daemon does: again and again, until all names but these are shown. */
async function bringUntilShown(plans: Plan[], ...waiting: string[]) {
  const areShown = async () => {
    const states = await bring(...plans)
    const left = states.filter(({ state }) => state !== 'shown').map(({ name }) => name)
    return left.join() === waiting.join()
  }
  await until(areShown, { deadlineMs: 30_000, intervalMs: 200, what: 'certificates' })
  return await bring(...plans)
}

/** What is taken away goes once ACM knows that no listener shows it. */
async function bringUntilGone(plans: Plan[], isGone: () => Promise<boolean>) {
  const look = async () => {
    await bring(...plans)
    return await isGone()
  }
  await until(look, { deadlineMs: 30_000, intervalMs: 200, what: 'certificates to go' })
}

const seen = async (scheme: 'http' | 'https', host: string, wanted: string) =>
  await until(async () => (await visit(scheme, host)) === wanted, {
    deadlineMs: 10_000,
    intervalMs: 100,
    what: `${wanted} at ${scheme}://${host}`,
  })

test('where the rack has a domain its apps are served by TLS, and by http to those that keep it', async () => {
  const kept = { routing: { ...plainRouting, keepsHttp: true as const } }
  const plan = planFor('shop', [
    webType('web', ['shop.rack.test']),
    webType('feed', ['both.rack.test'], { type: 'feed', ...kept }),
  ])
  await deploy(plan, null)
  assert.equal(await visit('https', 'shop.rack.test'), 'web')
  assert.equal(await visit('http', 'shop.rack.test'), 'https://shop.rack.test:443/')
  assert.deepEqual(
    [await visit('https', 'both.rack.test'), await visit('http', 'both.rack.test')],
    ['feed', 'feed'],
  )
  assert.equal(await visit('https', 'nobody.rack.test'), '404')
  const next = planFor('shop', [webType('next', ['shop.rack.test'])], 'RTTTTTTTTTT')
  await deploy(next, plan)
  assert.equal(await visit('https', 'shop.rack.test'), 'next')
  assert.equal(await visit('http', 'both.rack.test'), 'https://both.rack.test:443/')
  await rack.engine.remove(appOwner('shop'), { volumes: true }, controlFor(60_000))
})

test('a domain is served by http until its certificate is there, then by TLS, and goes without a deploy', async () => {
  const plan = planFor('site', [
    webType('web', ['site.rack.test']),
    webType('admin', ['admin.site.rack.test'], { type: 'admin' }),
  ])
  const deploying = deploy(plan, null).then(() => 'deployed')
  const early = await Promise.race([bring(plan).then(() => 'brought'), deploying])
  assert.equal(early, 'brought', 'the names of others wait for no deploy')
  await deploying
  domains = [
    domain('www.example.test', 'site'),
    domain('desk.example.test', 'site', 'admin'),
    domain('far.elsewhere.test', 'site'),
  ]
  const first = await bring(plan)
  assert.deepEqual(
    first.map(({ name, state }) => `${name} ${state}`),
    [
      '*.site.rack.test waiting',
      'desk.example.test waiting',
      'far.elsewhere.test waiting',
      'www.example.test waiting',
    ],
  )
  await seen('http', 'www.example.test', 'web')
  await seen('http', 'desk.example.test', 'admin')
  const states = await bringUntilShown([plan], '*.site.rack.test', 'far.elsewhere.test')
  const far = states.find(({ name }) => name === 'far.elsewhere.test')!
  assert.match(far.record!.name, /^_[0-9a-f]+\.far\.elsewhere\.test$/)
  assert.match(far.record!.value, /\.acm-validations\.aws\.$/)
  await seen('https', 'www.example.test', 'web')
  await seen('https', 'desk.example.test', 'admin')
  await seen('http', 'www.example.test', 'https://www.example.test:443/')
  await seen('http', 'far.elsewhere.test', 'web')
  assert.equal(await visit('https', 'far.elsewhere.test'), 'ERR_TLS_CERT_ALTNAME_INVALID')

  const next = planFor('site', [webType('next', ['site.rack.test'])], 'RTTTTTTTTTT')
  await deploy(next, plan)
  assert.equal(await visit('https', 'www.example.test'), 'next')
  domains = [domain('www.example.test', 'site')]
  assert.deepEqual(
    (await bring(next)).map(({ name, state }) => `${name} ${state}`),
    ['www.example.test shown'],
  )
  await seen('https', 'desk.example.test', 'ERR_TLS_CERT_ALTNAME_INVALID')
  await seen('http', 'far.elsewhere.test', 'https://far.elsewhere.test:443/')
  await bringUntilGone([next], async () => {
    const { CertificateSummaryList = [] } = await rack.clients.certificates.listCertificates({})
    const left = CertificateSummaryList.map(({ DomainName = '' }) => DomainName).toSorted()
    return left.join() === 'rack.test,www.example.test'
  })
  assert.equal(await visit('https', 'www.example.test'), 'next')
  domains = []
  await bring(next)
  await rack.engine.remove(appOwner('site'), { volumes: true }, controlFor(60_000))
})

test('a port of tls shows the certificate of the rack and those of its domains, and speaks tcp to the process', async () => {
  const external = 20_000 + (randomBytes(2).readUInt16BE() % 10_000)
  const port = { external, container: 8080, protocol: 'tls' as const, proxy: false as const, secure: false }
  const plain = webType('tls', [])
  const about = { ports: [port], internalPorts: [8080], hosts: [] }
  const plan = planFor('raw', [{ ...plain, ...about }])
  await deploy(plan, null)
  const ca = rack.account.certificates.authority
  const visitPort = async (servername = 'raw.rack.test', at = external) => {
    const options = { host: '127.0.0.1', port: at, servername, ca, agent: false }
    const signal = AbortSignal.timeout(10_000)
    const [response] = (await once(requestSecurely({ ...options, signal }).end(), 'response')) as [
      IncomingMessage,
    ]
    return (await text(response)).trim()
  }
  assert.equal(await visitPort(), 'tls')
  const { balancers } = rack.clients
  const listener = async () => {
    const { LoadBalancers = [] } = await balancers.describeLoadBalancers({})
    const { LoadBalancerArn } = LoadBalancers.find(({ Type }) => Type === 'network')!
    const { Listeners = [] } = await balancers.describeListeners({ LoadBalancerArn })
    return Listeners.find(({ Port }) => Port === external)!
  }
  const { ListenerArn, SslPolicy } = await listener()
  assert.equal(SslPolicy, tlsPolicy)
  // As one that was made before, by which TLS 1.0 is taken.
  await balancers.modifyListener({ ListenerArn, SslPolicy: 'ELBSecurityPolicy-2016-08' })
  const next = planFor('raw', [{ ...webType('next', []), ...about }], 'RTTTTTTTTTT')
  await deploy(next, plan)
  assert.equal(await visitPort(), 'next')
  assert.equal((await listener()).SslPolicy, tlsPolicy)
  // A domain of its app is shown there, and on port 443 it is not.
  domains = [domain('raw.example.test', 'raw')]
  await bringUntilShown([next])
  assert.equal(await visitPort('raw.example.test'), 'next')
  assert.equal(await visit('https', 'raw.example.test'), 'ERR_TLS_CERT_ALTNAME_INVALID')
  // Another port shows it as soon as it is open.
  const moved = external + 1
  const last = planFor('raw', [{ ...next.processes[0]!, ports: [{ ...port, external: moved }] }])
  await deploy(last, next)
  assert.equal(await visitPort('raw.example.test', moved), 'next')
  domains = []
  assert.deepEqual(await bring(last), [])
  const refused = { code: 'ERR_TLS_CERT_ALTNAME_INVALID' }
  await assert.rejects(visitPort('raw.example.test', moved), refused)
  await rack.engine.remove(appOwner('raw'), { volumes: true }, controlFor(60_000))
})

/** Names of records in the account's public zone. */
async function publicRecords(): Promise<string[]> {
  const { zones } = rack.clients
  const zone = zoneOf('example.test', await publicZones({ clients: rack.clients }, controlFor(20_000)))!
  const names: string[] = []
  let StartRecordName: string | undefined
  do {
    const answer: ListResourceRecordSetsCommandOutput = await zones.listResourceRecordSets({
      HostedZoneId: zone.Id,
      ...(StartRecordName !== undefined && { StartRecordName }),
    })
    names.push(...(answer.ResourceRecordSets ?? []).flatMap(({ Name }) => Name ?? []))
    StartRecordName = answer.NextRecordName
  } while (StartRecordName !== undefined)
  return names
}

test('a name that goes leaves the record that proves another one too', async () => {
  const plan = planFor('deep', [webType('web', ['deep.rack.test'])])
  await deploy(plan, null)
  const bare = domain('deep.example.test', 'deep')
  domains = [bare, domain('*.deep.example.test', 'deep')]
  await bringUntilShown([plan])
  const proofs = async () =>
    (await publicRecords()).filter((name) => name.endsWith('.deep.example.test.')).length
  assert.equal(await proofs(), 1, 'one record proves both')
  domains = [bare]
  await bringUntilShown([plan])
  assert.equal(await proofs(), 1, 'by it the other one is renewed')
  domains = []
  await bringUntilGone([plan], async () => (await proofs()) === 0)
})

test('what an authority refuses is told, and asked for again only later', async () => {
  const plan = planFor('caa', [webType('web', ['caa.rack.test'])])
  await deploy(plan, null)
  rack.account.certificates.refused.add('.never.example.test')
  domains = [domain('a.never.example.test', 'caa')]
  await until(async () => (await bring(plan))[0]?.state === 'failed', {
    deadlineMs: 30_000,
    intervalMs: 200,
    what: 'the refusal',
  })
  const [failed] = await bring(plan)
  assert.match(failed!.reason!, /ACM has refused it: CAA_ERROR/)
  domains = []
  assert.deepEqual(await bring(plan), [])
})

test('past the hundredth target group an app is behind a further balancer, led there by records of its own', async () => {
  const { balancers } = rack.clients
  const listener = rack.account.places.balancer.listeners.https!
  const fill = async (index: number) => {
    const group = {
      Name: `filler-${index}`,
      Protocol: 'HTTP' as const,
      Port: 80,
      VpcId: rack.account.places.vpc,
    }
    const { TargetGroups = [] } = await balancers.createTargetGroup({ ...group, TargetType: 'ip' })
    await balancers.createRule({
      ListenerArn: listener,
      Priority: 21_000 + index,
      Conditions: [{ Field: 'host-header', HostHeaderConfig: { Values: [`${index}.filler.test`] } }],
      Actions: [{ Type: 'forward', TargetGroupArn: TargetGroups[0]!.TargetGroupArn }],
    })
  }
  await Promise.all(Array.from({ length: 88 }, async (_each, index) => await fill(index)))
  const plan = planFor('far', [webType('far', ['far.rack.test', 'web.far.rack.test'])])
  const control = controlFor(60_000)
  const [refused] = await rack.engine.obstacles(plan, new Set(), control)
  assert.match(
    refused!.message,
    /has no room for the app: .* has no public zone of Route 53 that answers for them/,
  )
  assert.match(refused!.hint!, /create-hosted-zone --name rack\.test .*\*\.rack\.test CNAME 127\./)
  await assert.rejects(deploy(plan, null), { code: 'capacity' })
  assert.deepEqual(await rack.engine.additions(plan, control), [])

  rack.account.addPublicZone('rack.test')
  assert.deepEqual(await rack.engine.obstacles(plan, new Set(), control), [])
  assert.match(
    (await rack.engine.additions(plan, control)).join(),
    /further load balancer .* paid by the hour/,
  )
  await deploy(plan, null)
  assert.deepEqual(await rack.engine.additions(plan, control), [])
  const host = rack.engine.hostOf('far')!
  assert.notEqual(host, rack.account.places.balancer.host)
  const leads = `CNAME ${host}`
  assert.deepEqual(await recordsBelow('rack.test'), {
    'far.rack.test': leads,
    '*.far.rack.test': leads,
  })
  assert.equal(await visit('https', 'far.rack.test', { host }), 'far')
  assert.equal(await visit('http', 'far.rack.test', { host }), 'https://far.rack.test:443/')
  assert.equal(await visit('https', 'far.rack.test'), '404')

  domains = [domain('www.example.test', 'far'), domain('www.rack.test', 'far')]
  await bringUntilShown([plan])
  assert.equal(await visit('https', 'www.example.test', { host }), 'far')
  assert.equal(await visit('https', 'www.example.test'), 'ERR_TLS_CERT_ALTNAME_INVALID')
  assert.deepEqual(Object.keys(await recordsBelow('rack.test')).toSorted(), [
    '*.far.rack.test',
    'far.rack.test',
    'www.rack.test',
  ])
  // A daemon that was started since finds all of it.
  const engine = rack.reopen()
  const next = planFor('far', [webType('next', ['far.rack.test'])], 'RTTTTTTTTTT')
  await engine.deploy({ plan: next, live: plan, leaving: [], releaseCommands: noReleaseCommands }, control)
  assert.deepEqual([await visit('https', 'www.rack.test', { host }), engine.hostOf('far')], ['next', host])
  domains = []
  await engine.bringNames([next], control)
  assert.deepEqual(Object.keys(await recordsBelow('rack.test')), ['far.rack.test', '*.far.rack.test'])

  const { LoadBalancers = [] } = await balancers.describeLoadBalancers({})
  const { LoadBalancerArn } = LoadBalancers.find(({ DNSName }) => DNSName === host)!
  await rack.account.balancers.deleteByHand(LoadBalancerArn!)
  // It costs: nobody makes one who has not said so.
  const { failure } = await engine.bringNames([next], control)
  assert.match(failure?.message ?? '', /load balancer 2 .* is gone/)
  assert.match(
    (await engine.additions(next, control)).join(),
    /^somebody has deleted the load balancer 2 .* with another address: AWS has it paid/,
  )
  const { replaced } = await engine.deploy(
    { plan: next, live: next, leaving: [], releaseCommands: noReleaseCommands },
    control,
  )
  const anew = engine.hostOf('far')!
  assert.deepEqual(replaced, [])
  assert.notEqual(anew, host)
  assert.deepEqual(new Set(Object.values(await recordsBelow('rack.test'))), new Set([`CNAME ${anew}`]))
  assert.equal(await visit('https', 'far.rack.test', { host: anew }), 'next')
  await engine.remove(appOwner('far'), { volumes: true }, control)
  assert.deepEqual(await recordsBelow('rack.test'), {})
})

test('what a proof hides from the wildcard of the domain is led there by records of its own, as long as it is there', async () => {
  const Id = zoneOf('rack.test', await publicZones({ clients: rack.clients }, controlFor(20_000)))!.Id!
  const front = [{ Value: 'front.example.test' }]
  const wildcard = { Name: '*.rack.test', Type: 'CNAME' as const, TTL: 300, ResourceRecords: front }
  const Changes = [{ Action: 'CREATE' as const, ResourceRecordSet: wildcard }]
  await rack.clients.zones.changeResourceRecordSets({ HostedZoneId: Id, ChangeBatch: { Changes } })
  const plan = planFor('near', [webType('near', ['near.rack.test', 'web.near.rack.test'])])
  await bringUntilShown([plan])
  const leads = 'CNAME front.example.test'
  assert.deepEqual(await recordsBelow('rack.test'), {
    '*.rack.test': leads,
    'near.rack.test': leads,
    '*.near.rack.test': leads,
  })
  await bringUntilGone([], async () => Object.keys(await recordsBelow('rack.test')).join() === '*.rack.test')
})

/** What leads names below a domain, in its public zone. */
async function recordsBelow(name: string): Promise<Record<string, string>> {
  const zone = zoneOf(name, await publicZones({ clients: rack.clients }, controlFor(20_000)))!
  const place = { zone: zone.Id!, domain: name }
  const found: Record<string, string> = {}
  for await (const { name, set } of recordSetsBelow({ clients: rack.clients }, place, controlFor(20_000)))
    if (set.Type === 'CNAME' && !name.startsWith('_')) found[name] = `CNAME ${set.ResourceRecords![0]!.Value}`
  return found
}
