import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readWeb } from '../../../../test/support/compose.ts'
import { labelRules } from './label-rules.ts'

function withLabels(...labels: string[]) {
  const list = labels.map((label) => `  - ${JSON.stringify(label)}`).join('\n')
  return readWeb(`ports: ["80:5000", "25:2525", 6000]\nlabels:\n${list}`)
}

test('labels of the family set health, draining, the update and the release command', () => {
  const { web, problems } = withLabels(
    'rack.health.path=/check',
    'rack.health.host=Shop.example.com:8080',
    'rack.health.replace=30.5',
    'rack.health.port=6000',
    'rack.health.interval=0.5',
    'rack.health.timeout=0.4',
    'rack.health.grace=20',
    'rack.health.threshold.healthy=2',
    'rack.health.threshold.unhealthy=5',
    'rack.draining.timeout=5',
    'rack.deployment.minimum=50',
    'rack.deployment.maximum=150',
    'rack.deployment.watch=0.5',
    'rack.deployment.rollback=auto',
    'rack.port.25.protocol=http',
    'rack.release.command=bin/migrate && echo ok',
    'rack.release.on=build',
    'mine=yes',
  )
  assert.deepEqual(problems, [])
  assert.deepEqual(web.health, {
    path: '/check',
    host: 'shop.example.com:8080',
    port: 6000,
    intervalMs: 500,
    timeoutMs: 400,
    graceMs: 20_000,
    healthyThreshold: 2,
    unhealthyThreshold: 5,
    replacement: { when: 'always', afterMs: 30_500 },
  })
  assert.deepEqual(web.deployment, { minimumPercent: 50, maximumPercent: 150, mayOverlap: true })
  assert.deepEqual([web.drainTimeoutMs, web.watchMs, web.rollsBack], [5000, 500, true])
  assert.equal(web.labels.mine, 'yes')
  assert.deepEqual(web.releaseCommand, ['sh', '-c', 'bin/migrate && echo ok'])
  assert.equal(web.releaseCommandOn, 'build')
  assert.deepEqual(
    web.ports.map(({ protocol }) => protocol),
    ['http', 'http', 'tcp'],
  )
})

test('a process that is never replaced says so, and what is no time or name is an error', () => {
  const { web, problems } = withLabels('rack.health.replace=Never')
  assert.deepEqual([web.health.replacement, problems], [{ when: 'never' }, []])
  const wrong = withLabels('rack.health.replace=soon', 'rack.health.host=http://shop')
  assert.equal(wrong.problems.length, 2)
})

test('the prefix convox. has the defaults of the original', () => {
  const { web, problems } = withLabels('convox.health.timeout=10', 'convox.deployment.maximum=150')
  assert.deepEqual(problems, [])
  const { intervalMs, timeoutMs, healthyThreshold, unhealthyThreshold } = web.health
  assert.deepEqual([intervalMs, timeoutMs, healthyThreshold, unhealthyThreshold], [12_000, 10_000, 2, 2])
  assert.deepEqual(web.deployment, { minimumPercent: 50, maximumPercent: 150, mayOverlap: true })
  assert.match(
    withLabels('convox.health.path=/a', 'rack.health.path=/b').problems[0] ?? '',
    /warning: .*rack.health.path wins/,
  )
})

test('labels that cannot hold are refused', () => {
  const table: [label: string, problem: RegExp][] = [
    ['rack.health.pth=/x', /unknown label "rack.health.pth"; did you mean "rack.health.path"/],
    ['rack.port.80.protocl=http', /did you mean "rack.port.80.protocol"/],
    ['rack.count=2', /unknown label "rack.count"; labels under "rack." configure the rack/],
    ['rack=x', /unknown label "rack"/],
    ['rack.health.path=check', /must be a path that starts with/],
    [
      'rack.health.port=80',
      /80 is not a container port of the process; the container ports are: 5000, 2525, 6000/,
    ],
    ['rack.health.interval=1', /shorter than the timeout/],
    ['rack.health.interval=5s', /must be a number from 0.1 to 300 \(seconds\), but is "5s"/],
    ['rack.health.threshold.healthy=0', /whole number from 1 to 10/],
    ['convox.health.threshold.healthy=1', /whole number from 2 to 10/],
    ['rack.draining.timeout=-1', /must be a number from 0 to 3600/],
    ['rack.deployment.minimum=101', /from 0 to 100 \(percent\)/],
    ['rack.deployment.maximum=100', /no copy could ever be replaced/],
    ['rack.port.81.protocol=http', /the port 81, which is not an external port.*80, 25/],
    ['rack.port.80.proxy=1', /must be one of: true, false, v1, v2; did you mean "v1"/],
    ['rack.port.81.secure=true', /the port 81, which is not an external port/],
    ['rack.cron.nightly=0 0 * * *', /rack.cron.nightly: "0 0 \* \* \*" names no command/],
    ['rack.cron.nightly=0 0 30 2 * x', /rack.cron.nightly: "30 2" never comes/],
    ['rack.cron.1st=0 0 * * * x', /"rack.cron.1st" does not name a timer/],
    ['rack.cron.nightly.timezone=UTC', /there is no timer "nightly"; write rack.cron.nightly=/],
    ['rack.cron.nightly.timezone=Europe/Berlni', /is not a time zone; did you mean "Europe\/Berlin"/],
    ['rack.cron.nightly.overlap=skip', /there is no timer "nightly"/],
    ['rack.cron.nightly.overlap=never', /must be skip, queue or replace, but is "never"/],
    ['rack.cron.nightly.timeout=0', /must be a number from 1 to 604800 \(seconds\)/],
    ['rack.release.on=start', /must be promote or build, but is "start"; write rack.release.on=build/],
    ['rack.agent=yes', /must be true or false, but is "yes"/],
    ['rack.sticky=true', /must be source, uri or header:NAME, but is "true"; write rack.sticky=source/],
    ['rack.sticky=header:x y', /must be source/],
    ['rack.idle.timeout=0', /must be a number from 1 to 3600/],
    ['convox.idle.timeout=0.5', /must be a whole number from 1 to 3600/],
    ['rack.allow=', /names no address/],
    ['rack.allow=10.0.0.0/8, 10.0.0.0/33', /"10.0.0.0\/33" is neither; write rack.allow=10.0.0.0\/8/],
    ['rack.auth=admin', /its pair 1 is none; write rack.auth=admin:\$\{ADMIN_PASSWORD\}/],
    ['rack.auth=a:b,c:', /its pair 2 is none/],
    ['com.rack.app=x', /are the rack's own/],
    ['rack.release.command=', /names no command/],
    ['=x', /a label needs a name/],
  ]
  for (const [label, pattern] of table) assert.match(withLabels(label).problems.join('\n'), pattern, label)
  assert.deepEqual(withLabels('rack.agent=false', 'rack.port.80.proxy=false').problems, [])
  assert.match(withLabels('convox.foo=1').problems[0] ?? '', /warning: .*there is no such label/)
  assert.match(readWeb('labels: ["rack.health.path=/x"]').problems[0] ?? '', /there is no port to check/)
})

test('every rule of the family has a reason, and those that are honoured a default', () => {
  for (const [name, { verdict, why, example, default: fallback }] of Object.entries(labelRules)) {
    assert.notEqual(why, '', name)
    assert.notEqual(example, '', name)
    if (verdict === 'honoured') assert.notEqual(fallback, undefined, name)
  }
})

test('the example of every rule is taken', () => {
  for (const [name, { verdict, example }] of Object.entries(labelRules)) {
    const anyName = { cron: 'nightly', mount: '/data' }[name.split('.')[0] ?? ''] ?? '80'
    const label = `rack.${name.replace('*', anyName)}`
    const timer = name.startsWith('cron.*.') ? ['rack.cron.nightly=0 3 * * * bin/nightly'] : []
    const list = [...timer, `${label}=${example}`].map((one) => `\n  - ${JSON.stringify(one)}`).join('')
    const keys = `ports: ["80:5000"]\nvolumes: ["./data:/data"]\nlabels:${list}`
    const { problems } = readWeb(keys, { ADMIN_PASSWORD: 'a long one' })
    const wrong = problems.filter((problem) => problem.includes(' error: '))
    if (verdict === 'honoured') assert.deepEqual(wrong, [], label)
    else for (const problem of wrong) assert.match(problem, /is refused: .*; remove the label/, label)
  }
})

test('labels of the router become routing', () => {
  const { web, problems } = withLabels(
    'rack.sticky=header:X-Tenant',
    'rack.idle.timeout=1.5',
    'rack.allow= 10.0.0.0/8 , ::1,10.0.0.0/8',
    'rack.auth=admin:a:b, guest:c',
    'rack.port.80.proxy=true',
    'rack.port.80.secure=TRUE',
    'rack.port.25.protocol=http',
  )
  assert.deepEqual(problems, [])
  assert.deepEqual(web.routing, {
    sticky: { by: 'header', name: 'x-tenant' },
    idleTimeoutMs: 1500,
    allow: ['10.0.0.0/8', '::1'],
    auth: [
      { user: 'admin', password: 'a:b' },
      { user: 'guest', password: 'c' },
    ],
  })
  assert.deepEqual(
    web.ports.map(({ proxy, secure }) => [proxy, secure]),
    [
      ['v1', true],
      [false, false],
      [false, false],
    ],
  )
  assert.deepEqual(withLabels('rack.sticky=false').web.routing.sticky, null)
  assert.deepEqual(withLabels('rack.sticky=source').web.routing.sticky, { by: 'source' })
  assert.equal(withLabels('rack.allow=::1').web.routing.idleTimeoutMs, null)
  assert.equal(withLabels('convox.draining.timeout=5').web.routing.idleTimeoutMs, 3_600_000)
})

test('a port says how its process is spoken to', () => {
  const manners = (...labels: string[]) => {
    const { web, problems } = withLabels(...labels)
    if (problems.length > 0) return problems
    const { proxy, secure, upstream } = web.ports[0]!
    return [proxy, secure, upstream]
  }
  assert.deepEqual(manners('rack.port.80.proxy=v1'), ['v1', false, undefined])
  assert.deepEqual(manners('rack.port.80.proxy=V2'), ['v2', false, undefined])
  assert.deepEqual(manners('rack.port.80.upstream=http1'), [false, false, undefined])
  assert.deepEqual(manners('rack.port.80.upstream=h2c'), [false, false, 'h2c'])
  assert.deepEqual(manners('rack.port.80.upstream=h2'), [false, true, 'h2'])
  const both = manners('rack.port.80.upstream=h2c', 'rack.port.80.secure=true')
  assert.match(String(both[0]), /h2c is HTTP\/2 without TLS.*; write rack\.port\.80\.upstream=h2/)
  const raw = readWeb('ports: ["25:25"]\nlabels: ["rack.port.25.upstream=h2c"]').problems
  assert.match(String(raw[0]), /port 25 is tcp, of which the router passes on the bytes/)
})

test('labels of the router say where they reach nobody', () => {
  const first = (keys: string) => readWeb(keys).problems[0] ?? ''
  const tcp = 'ports: ["25:25"]\nlabels: '
  assert.match(first('labels: ["rack.allow=::1"]'), /warning: .*allow changes nothing: .*no external port/)
  assert.match(
    first(`${tcp}["rack.auth=a:b"]`),
    /error: .*auth needs http, and the external port 25 is not http/,
  )
  assert.match(first(`${tcp}["rack.sticky=uri"]`), /error: .*sticky needs http/)
  assert.equal(first(`${tcp}["rack.sticky=source"]`), '')
  assert.match(
    withLabels('rack.auth=a:b').problems[0] ?? '',
    /warning: .*port 25 is not http, so it asks nobody/,
  )
  const both = 'ports: ["80:5000", "81:5000"]\nlabels: '
  for (const label of ['rack.port.80.proxy=true', 'rack.port.80.upstream=h2'])
    assert.match(first(`${both}["${label}"]`), /the ports 80 and 81 lead to 5000 in two ways/)
})

test('what a variable puts into a label is in no message', () => {
  const labels = [
    'rack.auth',
    'rack.allow',
    'rack.sticky',
    'rack.cron.x',
    'rack.cron.x.timezone',
    'rack.cron.x.overlap',
    'rack.cron.x.timeout',
    'rack.health.port',
  ]
  for (const label of [
    ...labels,
    'rack.agent',
    'rack.port.80.protocol',
    'rack.draining.timeout',
    'rack.health.path',
  ]) {
    for (const keys of [`labels: ["${label}=$PASSWORD"]`, `labels: { ${label}: $PASSWORD }`]) {
      const { problems } = readWeb(`ports: ["80:5000"]\n${keys}`, { PASSWORD: 'xyzzy plugh 1 2 3 4' })
      assert.ok(problems.length > 0, keys)
      assert.doesNotMatch(problems.join('\n'), /xyzzy|plugh/, keys)
    }
  }
})

test('an agent runs one copy on every instance', () => {
  for (const label of ['rack.agent=true', 'convox.agent=true', 'convox.agent', 'convox.daemon=True']) {
    const { web, problems } = withLabels(label)
    assert.deepEqual(problems, [], label)
    assert.equal(web.isAgent, true, label)
    assert.deepEqual(web.deployment, { minimumPercent: 0, maximumPercent: 100, mayOverlap: false }, label)
  }
  assert.equal(withLabels('convox.agent=false').web.isAgent, false)
  const read = (keys: string) => readWeb(`deploy: { ${keys} }`)
  assert.equal(read('mode: global').web.isAgent, true)
  assert.equal(read('mode: replicated').web.isAgent, false)
  assert.equal(read('mode: global, replicas: 0').web.formation.count, 0)
  assert.match(
    read('mode: global, replicas: 3').problems[0] ?? '',
    /every instance runs one copy of an agent/,
  )
  assert.match(read('mode: global-job').problems[0] ?? '', /neither `replicated` nor `global`/)
  const odds = readWeb('deploy: { mode: global }\nlabels: ["rack.agent=false"]').problems
  assert.match(odds[0] ?? '', /a label says that it is none/)
  assert.match(
    withLabels('rack.agent=true', 'rack.deployment.minimum=100').problems[0] ?? '',
    /no copy could ever/,
  )
})
