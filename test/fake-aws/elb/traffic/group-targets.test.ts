import assert from 'node:assert/strict'
import { test } from 'node:test'
import { learn } from './group-targets.ts'
import { ruleFor } from './match.ts'

const health = {
  protocol: 'HTTP' as const,
  port: 'traffic-port',
  path: '/',
  intervalSeconds: 5,
  timeoutSeconds: 2,
  healthyThreshold: 3,
  unhealthyThreshold: 2,
  matcher: '200',
}

/** What a new target is after each check: `+` is a good one. */
function statesOf(checks: string): string[] {
  const member = { state: 'initial' as const, last: null, isLastGood: true, inARow: 0 }
  return checks.split('').map((check) => {
    learn(member, { isGood: check === '+' }, { health })
    return member.state
  })
}

test('the first good check makes a new target healthy, later on thresholds count', () => {
  assert.deepEqual(statesOf('+-+--'), ['healthy', 'healthy', 'healthy', 'healthy', 'unhealthy'])
  assert.deepEqual(statesOf('--++-+++'), [
    'initial',
    'unhealthy',
    'unhealthy',
    'unhealthy',
    'unhealthy',
    'unhealthy',
    'unhealthy',
    'healthy',
  ])
})

test('the rule of the lowest priority that fits answers: hosts without case and port, paths with case', () => {
  const step = (StatusCode: string) => ({ is: 'fixed' as const, config: { StatusCode } })
  const rules = [
    { priority: Infinity, match: {}, step: step('default') },
    { priority: 20, match: { hosts: ['*.test'] }, step: step('any') },
    { priority: 5, match: { hosts: ['a.TEST'], paths: ['/x?/*'] }, step: step('path') },
    {
      priority: 6,
      match: { hosts: ['a.test'], sources: ['10.0.0.0/8', '2001:db8::/32'] },
      step: step('near'),
    },
  ]
  const answers = [
    ['A.test:81', '/x1/y?z', '127.0.0.1', 'path'],
    ['a.test', '/X1/y', '10.1.2.3', 'near'],
    ['a.test', '/X1/y', '::ffff:10.1.2.3', 'near'],
    ['a.test', '/', '2001:db8::1', 'near'],
    ['a.test', '/', '11.0.0.1', 'any'],
    ['b.test', '/', '10.0.0.1', 'any'],
    ['b.tester', '/', '10.0.0.1', 'default'],
  ]
  for (const [host = '', url = '', address = '', expected] of answers) {
    const found = ruleFor(rules, { host, url, address })
    assert.deepEqual(found, step(expected!), `${host}${url} from ${address}`)
  }
})
