import { installationStacks } from '../../src/account/installation-stacks.ts'
import { installationOf } from './account-rack.ts'
import { variables, type AccountSettings } from './settings.ts'

/** What a run would make in the account, as lines. Pure. */
export function describeRun(settings: AccountSettings): string[] {
  const { region, rack, network, timeoutMs, only } = settings
  const stacks = installationStacks(installationOf(settings)).map(({ name, template }) => {
    const types = Object.values(template.Resources).map(({ Type }) => Type)
    const counted = Object.entries(Object.groupBy(types, (type) => type)).map(
      ([type, all = []]) => `${all.length} × ${type}`,
    )
    return `  ${name}: ${counted.toSorted().join(', ')}`
  })
  const where = network.kind === 'given' ? `the network ${network.vpc}` : 'a network of its own'
  return [
    `A rack ${rack} in ${region}, in ${where}, for ${timeoutMs / 60_000} minutes at most:`,
    ...stacks,
    '  and for each scenario, one after another and up to four at once: a stack rack-' +
      rack +
      '-app-…, services and tasks of Fargate',
    '  of 0.25 vCPU and 0.5 GiB (some thirty at once at most), target groups, rules, secrets, names and logs.',
    only ? `Of the contract ${only.length} scenarios run.` : 'All of the contract runs.',
    'It is paid by the hour and by the second: two balancers, the tasks and their public addresses, the key.',
    'At its end, and when it is ended, all of it is removed; the key is deleted by the account in thirty days.',
    `What a run has left behind goes by: ${variables.consent}=1 npm run test:aws -- --clean ${rack}`,
  ]
}
