import { test } from 'node:test'
import { assertGolden } from '../../../../test/support/golden.ts'
import { managedPlaces as places } from '../../../../test/support/managed-places.ts'
import { databaseTemplate } from './database-template.ts'

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
