import { test } from 'node:test'
import { assertGolden } from '../../../../test/support/golden.ts'
import { databaseTemplate } from './database-template.ts'

const places = {
  vpc: 'vpc-0123456789abcdef0',
  subnets: ['subnet-0123456789abcdef0', 'subnet-0123456789abcdef1'],
  securityGroups: {
    processes: 'sg-0123456789abcdef0',
    balancers: 'sg-0123456789abcdef1',
    daemon: 'sg-0123456789abcdef2',
    ports: 'sg-0123456789abcdef3',
  },
  key: 'arn:aws:kms:eu-west-1:123456789012:key/12345678-1234-1234-1234-123456789012',
}

for (const [kind, version, golden] of [
  ['postgres', '15', 'database-stack'],
  ['mysql', '8.4', 'mysql-stack'],
] as const) {
  test(`the template of the stack of a ${kind}`, () => {
    const managed = { name: 'main', kind, version, cpuUnits: 256, memoryBytes: 2 ** 30 }
    const template = databaseTemplate({ rack: 'r1', managed, places })
    assertGolden(`aws/${golden}.json`, `${JSON.stringify(template, null, 2)}\n`)
  })
}
