import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { askedActions } from './asked-actions.ts'
import { installerPermissions, installerPolicy } from './installer-policy.ts'

const scope = { rack: 'a-name-of-some-length', region: 'ap-southeast-2', account: '123456789012' }

test('the policy is one that IAM takes', () => {
  // D: "IAM and STS quotas": 6,144 characters of a managed policy, blanks not counted.
  assert.ok(JSON.stringify(installerPolicy(scope)).length <= 6144)
  const all = installerPermissions(scope)
  assert.equal(new Set(all.map(({ id }) => id)).size, all.length)
  for (const { id, on } of all) {
    assert.match(id, /^[A-Za-z0-9]+$/)
    for (const arn of on)
      assert.match(
        arn,
        /^(\*|arn:aws:[a-z0-9-]+:[a-z0-9-]*:\d*:.*a-name-of-some-length.*|arn:aws:iam::\d+:role\/aws-service-role\/\*|arn:aws:elasticloadbalancing:.*\/(rack-|r-)\*)$/,
      )
  }
})

/** As IAM calls what S3 and CloudWatch call otherwise. */
const called: Record<string, string> = {
  's3:ListObjectsV2': 's3:ListBucket',
  's3:HeadObject': 's3:GetObject',
  'monitoring:GetMetricData': 'cloudwatch:GetMetricData',
}
/** Whoever has a key may ask them: GetCallerIdentity, and what an installation asks where it may. */
const needsNothing = new Set(['sts:GetCallerIdentity', 'iam:SimulatePrincipalPolicy', 'iam:GetRole'])

test('it allows every call that the engine makes, as the fake account lists them', async () => {
  const readme = await readFile(
    join(import.meta.dirname, '..', '..', 'test', 'fake-aws', 'README.md'),
    'utf8',
  )
  const calls = [...readme.matchAll(/^- `([a-z0-9]+)` \d+: (.*)$/gm)].flatMap(([, service, names]) =>
    names!.split(', ').map((name) => `${service}:${name}`),
  )
  assert.ok(calls.length > 50)
  const patterns = installerPermissions(scope)
    .flatMap(({ actions }) => actions)
    .map(pattern)
  const isAllowed = (action: string) => patterns.some((each) => each.test(action))
  const left = calls
    .filter((call) => !needsNothing.has(call))
    .map((call) => called[call] ?? call)
    .filter((call) => !isAllowed(call))
  assert.deepEqual(left, [])
})

const pattern = (action: string) => new RegExp(`^${action.replaceAll('*', '.*')}$`)

test('of each action that is a pattern some are asked about, which it holds', () => {
  for (const action of installerPermissions(scope).flatMap(({ actions }) => actions)) {
    const asked = askedActions(action)
    assert.ok(asked.length > 0)
    for (const name of asked) {
      assert.match(name, /^[a-z0-9-]+:[A-Za-z0-9]+$/)
      assert.match(name, pattern(action))
    }
  }
})
