import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readWeb } from '../../../test/support/compose.ts'
import { labelRules } from './label-rules.ts'

function withLabels(...labels: string[]) {
  const list = labels.map((label) => `  - ${JSON.stringify(label)}`).join('\n')
  return readWeb(`ports: ["80:5000", "25:2525", 6000]\nlabels:\n${list}`)
}

test('labels of the family set health, draining, the update and the release command', () => {
  const { web, problems } = withLabels(
    'rack.health.path=/check',
    'rack.health.port=6000',
    'rack.health.interval=0.5',
    'rack.health.timeout=0.4',
    'rack.health.grace=20',
    'rack.health.threshold.healthy=2',
    'rack.health.threshold.unhealthy=5',
    'rack.draining.timeout=5',
    'rack.deployment.minimum=50',
    'rack.deployment.maximum=150',
    'rack.port.25.protocol=http',
    'rack.release.command=bin/migrate && echo ok',
    'mine=yes',
  )
  assert.deepEqual(problems, [])
  assert.deepEqual(web.health, {
    path: '/check',
    port: 6000,
    intervalMs: 500,
    timeoutMs: 400,
    graceMs: 20_000,
    healthyThreshold: 2,
    unhealthyThreshold: 5,
  })
  assert.deepEqual(web.deployment, { minimumPercent: 50, maximumPercent: 150 })
  assert.deepEqual([web.drainTimeoutMs, web.labels.mine], [5000, 'yes'])
  assert.deepEqual(web.releaseCommand, ['sh', '-c', 'bin/migrate && echo ok'])
  assert.deepEqual(
    web.ports.map(({ protocol }) => protocol),
    ['http', 'http', 'tcp'],
  )
})

test('the prefix convox. has the defaults of the original', () => {
  const { web, problems } = withLabels('convox.health.timeout=10', 'convox.deployment.maximum=150')
  assert.deepEqual(problems, [])
  const { intervalMs, timeoutMs, healthyThreshold, unhealthyThreshold } = web.health
  assert.deepEqual([intervalMs, timeoutMs, healthyThreshold, unhealthyThreshold], [12_000, 10_000, 2, 2])
  assert.deepEqual(web.deployment, { minimumPercent: 50, maximumPercent: 150 })
  assert.match(
    withLabels('convox.health.path=/a', 'rack.health.path=/b').problems[0] ?? '',
    /warning: .*rack.health.path wins/,
  )
})

test('labels that cannot hold are refused', () => {
  const table: [label: string, problem: RegExp][] = [
    ['rack.health.pth=/x', /unknown label "rack.health.pth"; did you mean "rack.health.path"/],
    ['rack.port.80.protocl=http', /did you mean "rack.port.80.protocol"/],
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
    ['rack.port.80.protocol=tls', /port 80 is tls, which is refused/],
    ['rack.port.80.protocol=htp', /must be one of.*did you mean "http"/],
    ['rack.port.80.proxy=true', /the PROXY protocol is not supported by this version/],
    ['rack.cron.nightly=0 0 * * * x', /timers are not supported by this version/],
    ['rack.cron.nightly.timezone=UTC', /timers are not supported/],
    ['rack.agent=true', /agents are not supported/],
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
  for (const [name, { verdict, why, default: fallback }] of Object.entries(labelRules)) {
    assert.notEqual(why, '', name)
    if (verdict === 'honoured') assert.notEqual(fallback, undefined, name)
  }
})
