import { awsFeatures } from '../../../src/domain/aws-features.ts'
import { dockerFeatures } from '../../../src/domain/docker-features.ts'
import { missingFeature } from '../../../test/support/needed-features.ts'
import { cellOf, featureTitles, type Feature } from '../manifest/differences.ts'
import { variances } from './variances.ts'
import { contractFile, featureTests, isWished, listScenarios, testsOf, type Shown } from './shown-by.ts'

const names = Object.keys(featureTitles) as Feature[]

/** `docs/engines.md`, from the features of the engines and the scenarios of their contract. */
export function renderEngines(): string {
  return [
    ...introduction(),
    '## What both do, each in its own way or time',
    '',
    ...varianceTable(),
    '## What a file can ask for, and an account has not',
    '',
    'As `rack manifest check --for aws` says it, at the line of the file. On one machine all of it is there.',
    '',
    ...featureTable(names.filter(isAskedFor)),
    '## What else differs',
    '',
    ...workTable(names.filter((name) => !isAskedFor(name))),
    '## Scenarios that an account skips',
    '',
    ...skippedTable(),
    '## Tests',
    '',
    `Which test shows what a row says. What a file can ask for is asked for in \`${featureTests}\`, by the name of its row`,
    '(`without NAME`), with the words that an account answers; rows of which nothing else is to be told are left out here.',
    '',
    ...testTable(),
  ].join('\n')
}

function introduction(): string[] {
  const all = listScenarios()
  const skipped = all.filter(({ needs }) => missingFeature(awsFeatures, needs))
  return [
    '# One machine, or an AWS account',
    '',
    'A rack runs on one machine, by Docker, or in your AWS account, by Amazon ECS on Fargate. The file is the same, the commands are the',
    `same, and so is what they do: one suite states what every engine does (\`${contractFile}\`), and runs on both. Of its`,
    `${all.length} scenarios ${all.length - skipped.length} run in an account; ${skipped.length} are skipped there, each for a feature that this page names. What is not`,
    'on this page is the same.',
    '',
    '**One machine** is enough for most. Take it where a process needs the machine itself (devices, paths of the host, capabilities), where a',
    'database wants a local disk, where a crashed process should be back within a second, or where visitors should wait rather than be',
    'refused while a type with a volume is replaced. **An account** is for more than one machine holds, and for what must outlive one: copies',
    'stand in two zones, and balancer, storage and registry are run by AWS. It costs more, and every copy takes longer to start.',
    '',
    'The account of these tests is a strict fake of our own ([`test/fake-aws`](../test/fake-aws/README.md)). It proves how we read what is',
    'written about AWS, not AWS. What only an account can show is marked under [Tests](#tests). `RACK_AWS_ACCOUNT_TEST=1 npm run test:aws` is',
    'the same suite in a real account: **it has not been run in one yet**. Times of AWS are those that are written about it.',
    '',
    'This page is generated: `npm run docs`.',
    '',
  ]
}

function varianceTable(): string[] {
  return table(
    ['name', '', 'one machine', 'AWS account', 'because'],
    variances.map(({ name, about, machine, account, why }) => [`\`${name}\``, about, machine, account, why]),
  )
}

/** A feature that a file asks for says why it is not there. */
function isAskedFor(name: Feature): boolean {
  const value = awsFeatures[name]
  return typeof value === 'object' && value !== null && 'why' in value && name !== 'sharesServices'
}

function featureTable(asked: Feature[]): string[] {
  return table(
    ['name', '', 'AWS account', 'because', 'instead'],
    asked.map((name) => {
      const value = awsFeatures[name] as Lacking
      return [`\`${name}\``, featureTitles[name], verdictOn(value), value.why, value.instead ?? '']
    }),
  )
}

interface Lacking {
  verdict?: string
  into?: string
  only?: string[]
  why: string
  instead?: string
}

function verdictOn({ verdict, into, only }: Lacking): string {
  if (verdict === 'translated') return `becomes ${into}`
  if (verdict) return verdict
  return only ? 'some of them' : 'within bounds'
}

function workTable(others: Feature[]): string[] {
  return table(
    ['name', '', 'one machine', 'AWS account', 'because'],
    others.map((name) => [
      `\`${name}\``,
      featureTitles[name],
      cellOf(dockerFeatures[name]),
      name === 'sharesServices' ? 'refused' : cellOf(awsFeatures[name]),
      reasonOf(name),
    ]),
  )
}

function skippedTable(): string[] {
  const skipped = listScenarios().flatMap(({ title, needs }) => {
    const lacking = missingFeature(awsFeatures, needs)
    return lacking ? [[title, `\`${lacking}\``, reasonOf(lacking)]] : []
  })
  return table(['scenario', 'lacks', 'because'], skipped)
}

function reasonOf(name: Feature): string {
  const value = awsFeatures[name]
  return typeof value === 'object' && value !== null && 'why' in value ? value.why : (reasons[name] ?? '')
}

/** Of features that are a word or a number. */
const reasons: Partial<Record<Feature, string>> = {
  changesPortsInPlace:
    'a service of ECS keeps the target groups that it was made with, so new copies come with the port',
  buildsTakeCapacity: 'what builds is the machine of the daemon, where no copy runs',
  receiptCounts: 'CloudWatch tells of a minute one to three minutes after its end',
  separateLogStreams: 'a stream of CloudWatch is one for both',
  mostExecs: 'a container of ECS takes two sessions',
  managedServices: 'the account runs those itself',
}

function testTable(): string[] {
  const ofVariances = variances.map(({ name, shown, unproved }) => [
    `\`${name}\``,
    list(shown),
    unproved ? `**only an account shows** ${unproved}` : '',
  ])
  const ofFeatures = names.flatMap((name) => {
    const shown = testsOf(name)
    if (shown.length === 0) return []
    return [[`\`${name}\``, list(shown), isWished(name) ? 'and `without ' + name + '`' : '']]
  })
  return table(['name', 'shown by', ''], [...ofVariances, ...ofFeatures])
}

const list = (shown: Shown[]) => shown.map(({ file, title }) => `${title} (\`${file}\`)`).join('; ')

function table(heads: string[], rows: string[][]): string[] {
  const line = (cells: string[]) => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`
  return [line(heads), `|${heads.map(() => '---|').join('')}`, ...rows.map(line), '']
}
